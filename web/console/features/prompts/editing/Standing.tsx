import { useLazyQuery } from "@apollo/client/react";
import { Ellipsis, Trash2 } from "lucide-react";
import { useState } from "react";

import { client } from "../../../api/client";
import { useCommand } from "../../../api/commands";
import { Button } from "../../../ui/Button";
import { Confirm, Dialog } from "../../../ui/Dialog";
import { Menu } from "../../../ui/Menu";
import { toast } from "../../../ui/toasts";
import type { PromptByIdQuery } from "../documents.generated";
import {
  DeletePromptDocument,
  DisablePromptDocument,
  EnablePromptDocument,
  PromptNameDocument,
} from "./documents.generated";

export interface StandingProps {
  template: NonNullable<PromptByIdQuery["promptTemplate"]>;
  /** It is deleted: what was changed is not to be saved any more. */
  onDeleted: () => void;
}

/** Enables a prompt, in the place of another where that is wanted; disables it; deletes it. */
export function Standing({ template, onDeleted }: StandingProps) {
  const [deleting, setDeleting] = useState(false);
  const remove = useCommand(DeletePromptDocument);
  const confirmed = async () => {
    const input = { templateId: template.id, clientKey: crypto.randomUUID() };
    if (await remove.send({ input })) {
      onDeleted();
      toast.note(`“${template.name}” is deleted.`);
      client.cache.evict({ id: "ROOT_QUERY", fieldName: "promptTemplates" });
    }
  };
  return (
    <>
      {template.enabled ? <Disable template={template} /> : <Enable template={template} />}
      <Menu
        label="More"
        trigger={
          <Button kind="quiet" icon aria-label="More">
            <Ellipsis size={18} aria-hidden />
          </Button>
        }
        entries={[
          {
            id: "delete",
            label: "Delete…",
            icon: <Trash2 size={16} aria-hidden />,
            danger: true,
            onAction: () => setDeleting(true),
          },
        ]}
      />
      <Confirm
        title={`Delete “${template.name}”?`}
        action="Delete"
        isOpen={deleting}
        onClose={() => setDeleting(false)}
        onConfirm={() => void confirmed()}
      >
        <p>
          It leaves all lists, nothing is asked with it any more, and its name is free again. Its versions stay for the
          answers that were made with them.
        </p>
      </Confirm>
    </>
  );
}

function Enable({ template }: Pick<StandingProps, "template">) {
  const { send, sending } = useCommand(EnablePromptDocument);
  const [readName, { data }] = useLazyQuery(PromptNameDocument);
  const [isConflict, setConflict] = useState(false);
  const close = () => setConflict(false);
  const enable = async (replaceEnabled: boolean) => {
    const input = { templateId: template.id, replaceEnabled, clientKey: crypto.randomUUID() };
    const payload = await send({ input }, ["ENABLED_PROMPT_CONFLICT"]);
    if (payload?.error) {
      const { enabledId } = (payload.error.details ?? {}) as { enabledId?: string };
      if (enabledId) {
        await readName({ variables: { id: enabledId } });
      }
      setConflict(true);
    } else if (payload) {
      toast.note(payload.replaced ? `Enabled in the place of “${payload.replaced.name}”.` : "Enabled.");
    }
  };
  const other = data?.promptTemplate?.name;
  return (
    <>
      <Button isDisabled={sending} onPress={() => void enable(false)}>
        Enable
      </Button>
      <Dialog
        title="Another prompt is enabled"
        isOpen={isConflict}
        onClose={close}
        actions={
          <>
            <Button onPress={close}>Cancel</Button>
            <Button
              kind="primary"
              onPress={() => {
                close();
                void enable(true);
              }}
            >
              Replace it
            </Button>
          </>
        }
      >
        <p>
          {other ? `“${other}”` : "Another one"} is the one in use in this place. Only one can be: replace it with “
          {template.name}”?
        </p>
      </Dialog>
    </>
  );
}

function Disable({ template }: Pick<StandingProps, "template">) {
  const { send, sending } = useCommand(DisablePromptDocument);
  const disable = async () => {
    if (await send({ input: { templateId: template.id, clientKey: crypto.randomUUID() } })) {
      toast.note("Disabled: none is in use in this place now.");
    }
  };
  return (
    <Button isDisabled={sending} onPress={() => void disable()}>
      Disable
    </Button>
  );
}
