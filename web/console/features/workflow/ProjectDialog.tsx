import { useState } from "react";

import { useCommand } from "../../api/commands";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { TextField } from "../../ui/fields";
import { WorkflowCreateProjectDocument, WorkflowUpdateProjectDocument } from "./documents.generated";

/** As the server has them. */
const LONGEST_NAME = 255;
const LONGEST_DESCRIPTION = 100_000;

export interface ProjectDialogProps {
  /** The one that is changed; without it, a new one is made. */
  project?: { id: string; name: string; description: string; version: number };
  isOpen: boolean;
  onClose: () => void;
  /** Called with the id of the project once it is stored. */
  onStored: (id: string) => void;
}

/** Describes a project. */
export function ProjectDialog({ isOpen, ...props }: ProjectDialogProps) {
  // Each time it opens it begins with what is stored.
  return isOpen && <Open {...props} />;
}

function Open({ project, onClose, onStored }: Omit<ProjectDialogProps, "isOpen">) {
  const [name, setName] = useState(project?.name ?? "");
  const [description, setDescription] = useState(project?.description ?? "");
  // One for the dialog: pressed twice, or asked again after a failure, it is stored once.
  const [clientKey] = useState(() => crypto.randomUUID());
  const create = useCommand(WorkflowCreateProjectDocument);
  const update = useCommand(WorkflowUpdateProjectDocument);
  const sending = create.sending || update.sending;
  const isComplete = name.trim() !== "" && description.trim() !== "";

  const store = async () => {
    const answer = project
      ? await update.send({ input: { projectId: project.id, name, description, expectedVersion: project.version } })
      : await create.send({ input: { name, description, clientKey } });
    if (answer?.project) {
      onClose();
      onStored(answer.project.id);
    }
  };

  return (
    <Dialog
      title={project ? "Edit the project" : "New project"}
      isOpen
      wide
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button kind="primary" isDisabled={!isComplete || sending} onPress={() => void store()}>
            {project ? "Save" : "Create project"}
          </Button>
        </>
      }
    >
      <TextField label="Name" value={name} onChange={setName} maxLength={LONGEST_NAME} autoFocus isRequired />
      <TextField
        label="Description"
        help="In your own words: what is to be made, for whom, and what it must be able to do. A requirements document may be pasted as it is."
        rows={12}
        value={description}
        onChange={setDescription}
        maxLength={LONGEST_DESCRIPTION}
        isRequired
      />
    </Dialog>
  );
}
