import { memo, useDeferredValue, useEffect, useRef, useState } from "react";

import { useAnswer } from "../answering/useAnswer";
import { AttachmentList } from "../parts/AttachmentList";
import { MessageBody } from "../parts/MessageBody";
import { MessageDetails } from "../parts/MessageDetails";
import { ToolCallView } from "../parts/ToolCallView";
import type { ConversationStore } from "./ConversationStore";
import styles from "./conversation.module.css";
import type { ConversationMessageFragment } from "./documents.generated";
import { EditMessage } from "./EditMessage";
import { MessageActions } from "./MessageActions";
import { RunEnd } from "./RunEnd";
import { useMessage } from "./useConversation";

const SPEAKERS: Record<ConversationMessageFragment["role"], string> = {
  SYSTEM: "System",
  USER: "You",
  ASSISTANT: "Assistant",
  TOOL: "Tool",
};

interface MessageRowProps {
  id: string;
  store: ConversationStore;
  /** Whether it is the one that was looked for. */
  isMarked: boolean;
}

/** Three frames. */
const SHORTLY_MS = 50;

/** A message of the conversation; while it is being written, as far as it was heard. */
export const MessageRow = memo(function MessageRow({ id, ...rest }: MessageRowProps) {
  const message = useMessage(id);
  // A list that measures its rows wants each to have a height.
  return message ? <Message message={message} {...rest} /> : <div className={styles.absent} />;
});

interface MessageProps extends Omit<MessageRowProps, "id"> {
  message: ConversationMessageFragment;
}

function Message({ message, store, isMarked }: MessageProps) {
  const [editing, setEditing] = useState(false);
  const { id, role, status, run, toolCalls, attachments } = message;
  // What can be done with it comes after what it says: many messages pass by while one scrolls.
  const rested = useDeferredValue(true, false);
  const unfinished = status === "PENDING" || status === "PROCESSING";
  const answer = useAnswer(unfinished && run ? run.id : null);
  const row = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!isMarked) {
      return;
    }
    // A list hides its rows until it knows where they are, and nothing hidden can have the focus.
    const later = setInterval(() => {
      row.current?.focus({ preventScroll: true });
      if (row.current === document.activeElement) {
        clearInterval(later);
      }
    }, SHORTLY_MS);
    return () => clearInterval(later);
  }, [isMarked]);
  const live = answer?.messageId === id && answer.state !== "ended" ? answer.text : null;
  return (
    <article
      ref={row}
      className={`${styles.row} ${isMarked ? styles.marked : ""}`}
      aria-label={SPEAKERS[role]}
      aria-busy={unfinished}
      {...(isMarked && { tabIndex: -1 })}
    >
      {editing ? (
        <EditMessage message={message} store={store} onClose={() => setEditing(false)} />
      ) : (
        <MessageBody message={message} {...(live !== null && { live })} />
      )}
      {toolCalls.map((call) => (
        <ToolCallView key={call.id} call={call} />
      ))}
      <AttachmentList attachments={attachments} />
      {run && <RunEnd message={message} run={run} store={store} />}
      {!unfinished && !editing && (
        <footer className={styles.foot}>
          {rested && (
            <>
              <MessageActions message={message} store={store} onEdit={() => setEditing(true)} />
              {message.deletedAt === null && <MessageDetails message={message} />}
            </>
          )}
        </footer>
      )}
    </article>
  );
}
