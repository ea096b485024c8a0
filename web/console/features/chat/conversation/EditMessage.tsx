import { useState } from "react";

import { Button } from "../../../ui/Button";
import type { ConversationStore } from "./ConversationStore";
import styles from "./conversation.module.css";
import type { ConversationMessageFragment } from "./documents.generated";
import { draftOf } from "./drafts";
import { GrowingText } from "./GrowingText";
import { toolsOf } from "./tools";
import { Unsent } from "./Unsent";
import { useSending } from "./useSending";

export interface EditMessageProps {
  message: ConversationMessageFragment;
  store: ConversationStore;
  onClose: () => void;
}

/** Says it in other words: it becomes a version beside this one, and is answered. */
export function EditMessage({ message, store, onClose }: EditMessageProps) {
  const { sessionId } = store;
  const [text, setText] = useState(message.content);
  const sending = useSending({
    onSent({ userMessage, message }) {
      onClose();
      store.accept([userMessage, message]);
    },
  });
  const ask = () => {
    const draft = draftOf(sessionId);
    sending.send({
      sessionId,
      content: text,
      editedMessageId: message.id,
      model: draft.model,
      ...toolsOf(draft),
    });
  };
  return (
    <div className={styles.edit}>
      <GrowingText
        label="Edit the message"
        value={text}
        onChange={setText}
        onEnter={ask}
        onEscape={onClose}
        autoFocus
      />
      <Unsent sending={sending} />
      <div className={styles.buttons}>
        <Button onPress={onClose}>Cancel</Button>
        <Button kind="primary" onPress={ask} isDisabled={text.trim() === "" || sending.state === "sending"}>
          Ask again
        </Button>
      </div>
    </div>
  );
}
