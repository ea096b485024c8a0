import { Building2, Folder, GitBranch, Tag } from "lucide-react";
import { Link } from "react-router";

import { Badge } from "../../../ui/Badge";
import { Moment } from "../../../ui/Moment";
import { STAGES, TYPES } from "../words";
import type { PromptSummaryFragment } from "./documents.generated";
import styles from "./library.module.css";

/** A prompt of the library: what it is for, where it belongs, and how it stands there. */
export function PromptRow({ prompt }: { prompt: PromptSummaryFragment }) {
  const { id, name, description, type, stage, enabled, version, updatedAt, updatedBy, labels } = prompt;
  const project = prompt.project?.name ?? prompt.projectId;
  return (
    <li className={styles.row}>
      <div className={styles.about}>
        <div className={styles.title}>
          <Link className={styles.name} to={`/prompts/${encodeURIComponent(id)}`}>
            {name}
          </Link>
          {enabled && <Badge tone="success">Enabled</Badge>}
          {stage && <Badge tone="info">{STAGES[stage]}</Badge>}
        </div>
        {description && <p className={styles.description}>{description}</p>}
        <ul className={styles.facts} aria-label={`About ${name}`}>
          <li>{TYPES[type]}</li>
          {project && (
            <li>
              <Folder size={14} aria-label="Project" /> {project}
            </li>
          )}
          {prompt.organizationId && (
            <li>
              <Building2 size={14} aria-label="Organization" /> {prompt.organizationId}
            </li>
          )}
          {labels.map(({ label, version }) => (
            <li key={label}>
              <Tag size={14} aria-label="Label" /> {label} → {version}
            </li>
          ))}
        </ul>
      </div>
      <div className={styles.standing}>
        <span>
          <GitBranch size={14} aria-hidden /> version {version}
        </span>
        <span>
          <Moment at={updatedAt} /> by {updatedBy}
        </span>
      </div>
    </li>
  );
}
