import { useState } from "react";

import { useCommand } from "../../../api/commands";
import { Button } from "../../../ui/Button";
import { Dialog } from "../../../ui/Dialog";
import { Select, TextField } from "../../../ui/fields";
import { type SessionItemFragment, TagSessionItemDocument, UpdateSessionItemDocument } from "./documents.generated";
import { EVERY_STATUS, STATUSES } from "./filter";
import { bumpSession } from "./lists";
import { TagsField } from "./TagsField";

const CHOICES = EVERY_STATUS.map((value) => ({ value, label: STATUSES[value] }));

/** Renames a session, says how it stands, and files it under tags. */
export function EditSession({ session, onClose }: { session: SessionItemFragment; onClose: () => void }) {
  const { id } = session;
  const filed = session.metadata?.tags ?? [];
  const [title, setTitle] = useState(session.title);
  const [status, setStatus] = useState(session.status);
  const [tags, setTags] = useState<readonly string[]>(filed);
  const update = useCommand(UpdateSessionItemDocument);
  const tag = useCommand(TagSessionItemDocument);

  const isChanged = title !== session.title || status !== session.status;
  const isFiled = tags.join("\n") !== filed.join("\n");

  const save = async (): Promise<void> => {
    const updated =
      !isChanged || (await update.send({ input: { sessionId: id, title, status, clientKey: crypto.randomUUID() } }));
    const tagged =
      !isFiled || (await tag.send({ input: { sessionId: id, tags: [...tags], clientKey: crypto.randomUUID() } }));
    if (isChanged || isFiled) {
      bumpSession(id);
    }
    if (updated && tagged) {
      onClose();
    }
  };

  return (
    <Dialog
      title="Edit the conversation"
      isOpen
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>Cancel</Button>
          <Button
            kind="primary"
            isDisabled={title.trim() === "" || update.sending || tag.sending}
            onPress={() => void save()}
          >
            Save
          </Button>
        </>
      }
    >
      <TextField label="Title" value={title} onChange={setTitle} maxLength={255} autoFocus />
      <Select label="Status" choices={CHOICES} value={status} onChange={setStatus} />
      <TagsField label="Tags" tags={tags} onChange={setTags} />
    </Dialog>
  );
}
