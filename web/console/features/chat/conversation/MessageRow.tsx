import { memo, useDeferredValue, useState } from "react";

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

/** A message of the conversation; while it is being written, as far as it was heard. */
export const MessageRow = memo(function MessageRow({ id, store }: { id: string; store: ConversationStore }) {
  const message = useMessage(id);
  // A list that measures its rows wants each to have a height.
  return message ? <Message message={message} store={store} /> : <div className={styles.absent} />;
});

function Message({ message, store }: { message: ConversationMessageFragment; store: ConversationStore }) {
  const [editing, setEditing] = useState(false);
  const { id, role, status, run, toolCalls, attachments } = message;
  // What can be done with it comes after what it says: many messages pass by while one scrolls.
  const rested = useDeferredValue(true, false);
  const unfinished = status === "PENDING" || status === "PROCESSING";
  const answer = useAnswer(unfinished && run ? run.id : null);
  const live = answer?.messageId === id && answer.state !== "ended" ? answer.text : null;
  return (
    <article className={styles.row} aria-label={SPEAKERS[role]} aria-busy={unfinished}>
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
