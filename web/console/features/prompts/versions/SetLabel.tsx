import { useQuery } from "@apollo/client/react";
import { useState } from "react";

import { useCommand } from "../../../api/commands";
import { tellRefusal, type Told } from "../../../api/errors";
import { Button } from "../../../ui/Button";
import { Dialog } from "../../../ui/Dialog";
import { TextField } from "../../../ui/fields";
import { toast } from "../../../ui/toasts";
import { PromptLabelsDocument, SetPromptLabelDocument } from "./documents.generated";
import styles from "./versions.module.css";

export interface SetLabelProps {
  templateId: string;
  /** The version that it is to point to; null while nothing is asked. */
  version: number | null;
  onSet?: () => void;
  onClose: () => void;
}

/** Sets a label to a version: a new one, or one that points elsewhere so far. */
export function SetLabel({ templateId, version, onSet, onClose }: SetLabelProps) {
  return (
    <Dialog title={`Set a label to version ${version ?? ""}`} isOpen={version !== null} onClose={onClose}>
      {version !== null && (
        <Form templateId={templateId} version={version} onClose={onClose} {...(onSet && { onSet })} />
      )}
    </Dialog>
  );
}

function Form({ templateId, version, onSet, onClose }: SetLabelProps & { version: number }) {
  const { data } = useQuery(PromptLabelsDocument, { variables: { id: templateId } });
  const [label, setLabel] = useState("");
  const [problem, setProblem] = useState<Told | null>(null);
  const { send, sending } = useCommand(SetPromptLabelDocument);
  const labels = data?.promptTemplate?.labels ?? [];
  const now = labels.find((known) => known.label === label)?.version ?? 0;
  const set = async () => {
    // Who moved it from where this person saw it wins.
    const input = { templateId, label, version, expectedVersion: now, clientKey: crypto.randomUUID() };
    const payload = await send({ input }, ["VERSION_CONFLICT", "VALIDATION_ERROR", "LIMIT_EXCEEDED"]);
    if (payload?.error) {
      setProblem(tellRefusal(payload.error));
    } else if (payload) {
      toast.note(`“${label}” points to version ${version}.`);
      onSet?.();
      onClose();
    }
  };
  return (
    <form
      className={styles.stack}
      onSubmit={(event) => {
        event.preventDefault();
        void set();
      }}
    >
      <TextField
        label="Label"
        value={label}
        onChange={setLabel}
        isRequired
        maxLength={64}
        autoFocus
        help={
          now > 0 && now !== version
            ? `It points to version ${now}, and is moved to version ${version}.`
            : "Small letters, digits and . _ -, such as production or 2026-11."
        }
      />
      {labels.length > 0 && (
        <div className={styles.known}>
          <span>Move one:</span>
          {labels.map((known) => (
            <Button key={known.label} onPress={() => setLabel(known.label)}>
              {known.label} → {known.version}
            </Button>
          ))}
        </div>
      )}
      {problem && (
        <p className={styles.problem} role="alert">
          {problem.title} {problem.detail}
        </p>
      )}
      <div className={styles.submit}>
        <Button onPress={onClose}>Cancel</Button>
        <Button kind="primary" type="submit" isDisabled={sending}>
          {now > 0 ? "Move" : "Set"}
        </Button>
      </div>
    </form>
  );
}
