import { useQuery } from "@apollo/client/react";
import { Download, Pencil, Trash2 } from "lucide-react";
import { useMemo, useState } from "react";
import { useParams, useSearchParams } from "react-router";

import { client } from "../../api/client";
import { useCommand } from "../../api/commands";
import { download } from "../../api/files";
import { go } from "../../app/router";
import { Button } from "../../ui/Button";
import { Confirm } from "../../ui/Dialog";
import { Markdown } from "../../ui/markdown/Markdown";
import { Moment } from "../../ui/Moment";
import { Page } from "../../ui/Page";
import { Empty, Failure, Loading } from "../../ui/states";
import { toast } from "../../ui/toasts";
import { Board } from "./Board";
import styles from "./board.module.css";
import { coalesced } from "./coalesced";
import {
  WorkflowDeleteProjectDocument,
  WorkflowProjectDocument,
  type WorkflowProjectQuery,
} from "./documents.generated";
import { useProjectEvents } from "./following";
import { useMeans } from "./means";
import { slug } from "./names";
import { ProjectDialog } from "./ProjectDialog";
import { WorkflowAttemptDocument, WorkflowAttemptsDocument } from "./stage/documents.generated";
import { StagePanel } from "./stage/StagePanel";
import { STAGES, waitingTexts } from "./words";

type Project = NonNullable<WorkflowProjectQuery["project"]>;

/** A project on its way through the four stages, as it happens. */
export function Component() {
  const { projectId = "" } = useParams();
  const { data, error, refetch } = useQuery(WorkflowProjectDocument, { variables: { projectId } });
  const project = data?.project;
  if (project) {
    return <Shown key={project.id} project={project} />;
  }
  return (
    <Page title="Project">
      {error ? (
        <Failure error={error} onRetry={() => void refetch()} />
      ) : data ? (
        <Empty
          title="There is no such project"
          action={<Button onPress={() => go("/workflow")}>To the projects</Button>}
        >
          It was deleted, or it is not yours to see.
        </Empty>
      ) : (
        <Loading label="Loading the project" />
      )}
    </Page>
  );
}

function Shown({ project }: { project: Project }) {
  const { id, name, description, createdBy, updatedAt, progress } = project;
  const means = useMeans();
  const [params] = useSearchParams();
  const stage = STAGES.find((each) => each === params.get("stage")) ?? progress.stage;
  const readAgain = useMemo(
    () =>
      coalesced(() =>
        client.refetchQueries({
          include: [WorkflowProjectDocument, WorkflowAttemptsDocument, WorkflowAttemptDocument],
        }),
      ),
    [],
  );
  useProjectEvents(id, () => void readAgain());

  return (
    <Page title={name} actions={<Actions project={project} mayEdit={means.mayEdit} />}>
      <div className={styles.overview}>
        <p className={styles.facts}>
          by {createdBy} · changed <Moment at={updatedAt} />
        </p>
        <p className={styles.waits} role="status">
          {waitingTexts(progress).join(" ")}
        </p>
        <details className={styles.description}>
          <summary>Description</summary>
          <div className={styles.text} tabIndex={0} role="region" aria-label="Description">
            <Markdown text={description} headingLevel={2} />
          </div>
        </details>
        <Board stages={progress.stages} chosen={stage} />
      </div>
      <StagePanel
        key={stage}
        projectId={id}
        stage={stage}
        progress={progress}
        means={means}
        onChanged={() => void readAgain()}
      />
    </Page>
  );
}

function Actions({ project, mayEdit }: { project: Project; mayEdit: boolean }) {
  const { id, name, progress } = project;
  const [open, setOpen] = useState<"edit" | "delete" | null>(null);
  const remove = useCommand(WorkflowDeleteProjectDocument);
  const prompts = progress.stages.find(({ stage }) => stage === "PROMPT_GENERATION");
  const close = () => setOpen(null);
  const confirmed = async () => {
    if (await remove.send({ input: { projectId: id, clientKey: crypto.randomUUID() } })) {
      toast.note(`${name} was deleted.`);
      go("/workflow");
      client.cache.evict({ id: client.cache.identify(project) ?? "" });
    }
  };
  return (
    <>
      {prompts && prompts.approved > 0 && (
        <Button
          onPress={() => void download(`/projects/${encodeURIComponent(id)}/prompts.zip`, `${slug(name)}-prompts.zip`)}
        >
          <Download size={16} aria-hidden />
          Download prompts
        </Button>
      )}
      {mayEdit && (
        <>
          <Button onPress={() => setOpen("edit")}>
            <Pencil size={16} aria-hidden />
            Edit
          </Button>
          <Button onPress={() => setOpen("delete")} isDisabled={remove.sending}>
            <Trash2 size={16} aria-hidden />
            Delete
          </Button>
        </>
      )}
      <ProjectDialog project={project} isOpen={open === "edit"} onClose={close} onStored={close} />
      <Confirm
        title={`Delete ${name}?`}
        action="Delete the project"
        isOpen={open === "delete"}
        onClose={close}
        onConfirm={() => void confirmed()}
      >
        <p>All attempts, reviews and prompts go with it, also what is being generated. This cannot be undone.</p>
      </Confirm>
    </>
  );
}
