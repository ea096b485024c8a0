import { useState } from "react";
import { useNavigate } from "react-router";

import { useCommand } from "../../../api/commands";
import { Button } from "../../../ui/Button";
import { Dialog } from "../../../ui/Dialog";
import { Select, TextField } from "../../../ui/fields";
import type { PromptType } from "../documents.generated";
import { placeholdersIn } from "../editing/placeholders";
import { choices, STAGES, TYPES } from "../words";
import { CreatePromptDocument, type Stage } from "./documents.generated";
import styles from "./library.module.css";
import { ProjectPicker } from "./ProjectPicker";

/** Makes a prompt, and goes to it. Variables that its text uses are declared; what they are is said in the editor. */
export function NewPrompt({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Dialog title="New prompt" isOpen={isOpen} onClose={onClose} wide>
      <Form onClose={onClose} />
    </Dialog>
  );
}

function Form({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [type, setType] = useState<PromptType>("CUSTOM");
  const [stage, setStage] = useState<Stage | "">("");
  const [projectId, setProjectId] = useState("");
  const [organizationId, setOrganizationId] = useState("");
  const [content, setContent] = useState("");
  const { send, sending } = useCommand(CreatePromptDocument);
  const { names } = placeholdersIn(content);

  const create = async () => {
    const place = { projectId: projectId || null, organizationId: organizationId || null, stage: stage || null };
    const variables = names.map((name) => ({ name }));
    const payload = await send({
      input: { name, type, content, ...place, variables, clientKey: crypto.randomUUID() },
    });
    if (payload?.template) {
      onClose();
      await navigate(`/prompts/${encodeURIComponent(payload.template.id)}`);
    }
  };

  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}
    >
      <TextField label="Name" value={name} onChange={setName} isRequired maxLength={255} autoFocus />
      <div className={styles.fields}>
        <Select label="Type" value={type} choices={choices(TYPES)} onChange={setType} />
        <Select
          label="Stage of projects"
          value={stage}
          choices={[{ value: "", label: "None: for any other use" }, ...choices(STAGES)]}
          onChange={setStage}
        />
        <ProjectPicker none="None: for all projects" value={projectId} onChange={setProjectId} />
        <TextField label="Organization" value={organizationId} onChange={setOrganizationId} maxLength={255} />
      </div>
      <TextField
        label="Text"
        value={content}
        onChange={setContent}
        rows={10}
        isRequired
        maxLength={10_000}
        help={
          names.length > 0
            ? `Variables: ${names.join(", ")}`
            : "Write {{name}} where the value of a variable is to stand."
        }
      />
      <div className={styles.submit}>
        <Button onPress={onClose}>Cancel</Button>
        <Button kind="primary" type="submit" isDisabled={sending}>
          Create
        </Button>
      </div>
    </form>
  );
}
