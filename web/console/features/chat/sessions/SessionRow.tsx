import { useFragment } from "@apollo/client/react";
import { Archive, ArchiveRestore, EllipsisVertical, Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";

import { send } from "../../../api/commands";
import { Badge } from "../../../ui/Badge";
import { Button } from "../../../ui/Button";
import { Menu } from "../../../ui/Menu";
import { Moment } from "../../../ui/Moment";
import { type SessionItemFragment, SessionItemFragmentDoc, UpdateSessionItemDocument } from "./documents.generated";
import { STATUSES } from "./filter";
import { bumpSession } from "./lists";
import styles from "./sessions.module.css";
import { useAnswerEnd } from "./useAnswerEnd";

export type Task = "edit" | "delete";

export interface SessionRowProps {
  id: string;
  isSelected: boolean;
  /** The query of the page's address, which leads on with it. */
  search: string;
  /** Something is to be done with it that asks for more. */
  onTask: (task: Task, session: SessionItemFragment) => void;
}

/** A session in the list: its name, how it stands, and what can be done with it. */
export function SessionRow({ id, isSelected, search, onTask }: SessionRowProps) {
  const { data, complete } = useFragment({ fragment: SessionItemFragmentDoc, from: { __typename: "ChatSession", id } });
  return complete ? <Row session={data} isSelected={isSelected} search={search} onTask={onTask} /> : null;
}

interface RowProps extends Omit<SessionRowProps, "id"> {
  session: SessionItemFragment;
}

function Row({ session, isSelected, search, onTask }: RowProps) {
  const { id, title, updatedAt, activeRun } = session;
  // Thousands of rows may be scrolled by: the menu of one is made when it is first wanted.
  const [isPointedAt, setPointedAt] = useState(false);
  useAnswerEnd(id, activeRun?.id);
  return (
    <div
      className={`${styles.row} ${isSelected ? styles.selected : ""}`}
      onPointerEnter={() => setPointedAt(true)}
      onFocus={() => setPointedAt(true)}
    >
      <Link
        to={{ pathname: `/chat/${id}`, search }}
        className={styles.link}
        {...(isSelected && { "aria-current": "page" })}
      >
        <span className={styles.title}>{title}</span>
        <span className={styles.facts}>
          <Moment at={updatedAt} />
          <Standing session={session} />
        </span>
      </Link>
      {isPointedAt || isSelected ? <RowMenu session={session} onTask={onTask} /> : <span className={styles.gap} />}
    </div>
  );
}

function Standing({ session: { status, activeRun, metadata } }: { session: SessionItemFragment }) {
  return (
    <>
      {activeRun && (
        <Badge tone="info">{activeRun.status === "REQUIRES_ACTION" ? "Awaits a tool" : "Answering…"}</Badge>
      )}
      {status !== "ACTIVE" && <Badge>{STATUSES[status]}</Badge>}
      {metadata && metadata.tags.length > 0 && (
        <span className={styles.filed}>{metadata.tags.map((tag) => `#${tag}`).join(" ")}</span>
      )}
    </>
  );
}

function RowMenu({ session, onTask }: Pick<RowProps, "session" | "onTask">) {
  const { id, title, status } = session;
  const archived = status === "ARCHIVED";
  const setStatus = async (): Promise<void> => {
    const input = { sessionId: id, status: archived ? "ACTIVE" : "ARCHIVED", clientKey: crypto.randomUUID() } as const;
    if (await send(UpdateSessionItemDocument, { input })) {
      bumpSession(id);
    }
  };
  return (
    <Menu
      label={`Actions for ${title}`}
      trigger={
        <Button kind="quiet" icon aria-label={`Actions for ${title}`}>
          <EllipsisVertical size={16} aria-hidden />
        </Button>
      }
      entries={[
        {
          id: "edit",
          label: "Edit…",
          icon: <Pencil size={15} aria-hidden />,
          onAction: () => onTask("edit", session),
        },
        {
          id: "archive",
          label: archived ? "Take out of the archive" : "Archive",
          icon: archived ? <ArchiveRestore size={15} aria-hidden /> : <Archive size={15} aria-hidden />,
          onAction: () => void setStatus(),
        },
        {
          id: "delete",
          label: "Delete…",
          icon: <Trash2 size={15} aria-hidden />,
          onAction: () => onTask("delete", session),
          danger: true,
        },
      ]}
    />
  );
}
