import { CircleAlert } from "lucide-react";

import { Badge } from "../../../ui/Badge";
import { Markdown } from "../../../ui/markdown/Markdown";
import { Moment } from "../../../ui/Moment";
import styles from "./parts.module.css";
import type { MessagePartsFragment } from "./parts.generated";
import { MESSAGES, ROLES } from "./statuses";
import { Value } from "./Value";

export interface MessageBodyProps {
  message: MessagePartsFragment;
  /** What has come of it so far, while it is being written. */
  live?: string;
}

/** Who said what, and when; or why it was not said to the end. */
export function MessageBody({ message, live }: MessageBodyProps) {
  const { role, createdAt, deletedAt } = message;
  const status = MESSAGES[message.status];
  return (
    <div className={`${styles.message} ${styles[role]}`}>
      <p className={styles.head}>
        <strong>{ROLES[role]}</strong>
        <span className={styles.muted}>
          <Moment at={createdAt} />
        </span>
        {status && <Badge tone={status.tone}>{status.word}</Badge>}
      </p>
      {deletedAt === null ? (
        <Said message={message} {...(live !== undefined && { live })} />
      ) : (
        <p className={styles.muted}>This message was deleted.</p>
      )}
    </div>
  );
}

function Said({ message, live }: MessageBodyProps) {
  const text = live ?? message.content;
  const streaming = live !== undefined || message.status === "PROCESSING";
  return (
    <>
      {message.role === "TOOL" ? (
        <Value text={text} label="Result" />
      ) : (
        (text || streaming) && <Markdown text={text} streaming={streaming} />
      )}
      <Problem message={message} />
    </>
  );
}

/** Why a message is not whole: as the run says, or else the message itself. */
function Problem({ message: { status, errorCode, errorMessage, run } }: { message: MessagePartsFragment }) {
  if (status !== "FAILED" && errorCode === null) {
    return null;
  }
  const code = errorCode ?? run?.error?.code;
  return (
    <div className={styles.problem}>
      <CircleAlert size={16} aria-hidden />
      <div>
        <p>{errorMessage ?? run?.error?.message ?? "The answer ended by an error."}</p>
        {run?.error?.hint && <p>{run.error.hint}</p>}
        {code && <code>{code}</code>}
      </div>
    </div>
  );
}
