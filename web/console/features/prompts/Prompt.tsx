import { Link } from "react-router";

import { useAddress } from "../../ui/address";
import { Badge } from "../../ui/Badge";
import { Page } from "../../ui/Page";
import { type TabOf, Tabs } from "../../ui/Tabs";
import { toast } from "../../ui/toasts";
import type { PromptByIdQuery } from "./documents.generated";
import { Conflict } from "./editing/Conflict";
import type { Fields } from "./editing/draft";
import { Editor } from "./editing/Editor";
import { Leaving } from "./editing/Leaving";
import { Standing } from "./editing/Standing";
import { useDraft } from "./editing/useDraft";
import { useSaving } from "./editing/useSaving";
import styles from "./Prompt.module.css";
import { TestRun } from "./testing/TestRun";
import { Executions } from "./versions/Executions";
import { History } from "./versions/History";
import { Labels } from "./versions/Labels";
import { Versions } from "./versions/Versions";
import { STAGES } from "./words";

type Template = NonNullable<PromptByIdQuery["promptTemplate"]>;
type View = "edit" | "versions" | "labels" | "executions" | "history";

/** A prompt: what it says, its versions and labels, and what came of them. One that is deleted can only be looked at. */
export function Prompt({ template }: { template: Template }) {
  const [address, setAddress] = useAddress();
  const editing = useDraft(template);
  const saving = useSaving(template, editing);
  const isDeleted = template.deletedAt !== null;

  const view = (tab: View, more: Record<string, string> = {}) => setAddress({ tab, ...more }, { replace: false });
  const restore = (version: number, fields: Fields) => {
    editing.change(fields);
    view("edit");
    toast.note(`What version ${version} says is in the editor. Save it as version ${template.version + 1}.`);
  };

  const tabs: TabOf<View>[] = [
    {
      id: "edit",
      label: isDeleted ? "Text" : "Edit",
      content: isDeleted ? (
        <pre className={styles.text}>{template.content}</pre>
      ) : (
        <div className={styles.columns}>
          <Editor template={template} editing={editing} saving={saving} />
          <TestRun template={template} editing={editing} />
        </div>
      ),
    },
    {
      id: "versions",
      label: "Versions",
      content: (
        <Versions
          templateId={template.id}
          onRestore={isDeleted ? null : restore}
          onExecutions={(version) => view("executions", { version })}
        />
      ),
    },
    ...(isDeleted ? [] : [{ id: "labels" as const, label: "Labels", content: <Labels templateId={template.id} /> }]),
    { id: "executions", label: "Executions", content: <Executions templateId={template.id} /> },
    { id: "history", label: "History", content: <History templateId={template.id} /> },
  ];
  const selected = tabs.find(({ id }) => id === address.get("tab"))?.id ?? "edit";
  return (
    <Page title={template.name} actions={!isDeleted && <Standing template={template} onDeleted={editing.discard} />}>
      <Place template={template} />
      <Tabs
        label="Views of the prompt"
        tabs={tabs}
        selected={selected}
        onSelect={(tab) => tab !== selected && view(tab)}
      />
      {!isDeleted && (
        <>
          <Conflict template={template} editing={editing} saving={saving} />
          <Leaving editing={editing} />
        </>
      )}
    </Page>
  );
}

/** Where it belongs, and how it stands there. */
function Place({ template }: { template: Template }) {
  const { stage, project, projectId, organizationId, enabled, deletedAt } = template;
  return (
    <nav className={styles.place} aria-label="Where this prompt is">
      <Link to="/prompts">Prompts</Link>
      {deletedAt && <Badge tone="danger">Deleted</Badge>}
      {enabled && <Badge tone="success">Enabled</Badge>}
      {stage && <Badge tone="info">{STAGES[stage]}</Badge>}
      {project ? (
        <Link to={`/workflow/${encodeURIComponent(project.id)}`}>{project.name}</Link>
      ) : (
        projectId && <span>Project {projectId}</span>
      )}
      {organizationId && <span>Organization {organizationId}</span>}
    </nav>
  );
}
