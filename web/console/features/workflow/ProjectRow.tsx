import { Link } from "react-router";

import { Badge } from "../../ui/Badge";
import { Moment } from "../../ui/Moment";
import type { WorkflowProjectRowFragment } from "./documents.generated";
import styles from "./projects.module.css";
import { Stepper } from "./Stepper";
import { waitingTexts } from "./words";

/** A project of the list: the way to it, how far it is, and what it waits for. */
export function ProjectRow({ project }: { project: WorkflowProjectRowFragment }) {
  const { id, name, createdBy, updatedAt, progress } = project;
  return (
    <li className={styles.project}>
      <div className={styles.what}>
        <Link to={`/workflow/${id}`} className={styles.name}>
          {name}
        </Link>
        <p className={styles.facts}>
          by {createdBy} · changed <Moment at={updatedAt} />
        </p>
      </div>
      <Stepper stages={progress.stages} />
      <p className={styles.waits}>
        {progress.finished ? <Badge tone="success">Finished</Badge> : waitingTexts(progress).join(" ")}
      </p>
    </li>
  );
}
