import { ChartColumn, Download, Ellipsis, FileJson, GitFork, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link, useNavigate } from "react-router";

import { useCommand } from "../../../api/commands";
import { download } from "../../../api/files";
import { Badge } from "../../../ui/Badge";
import { Button } from "../../../ui/Button";
import { Confirm } from "../../../ui/Dialog";
import { Menu } from "../../../ui/Menu";
import { dollars, short } from "../../../ui/numbers";
import { toast } from "../../../ui/toasts";
import { dropSession } from "../sessions/lists";
import styles from "./conversation.module.css";
import {
  ConversationDeleteDocument,
  ConversationForkDocument,
  type ConversationSessionFragment,
} from "./documents.generated";
import { modelOf } from "./models";

/** What the session is and has used, and what can be done with all of it. */
export function ConversationHeader({ session }: { session: ConversationSessionFragment }) {
  const navigate = useNavigate();
  const [deleting, setDeleting] = useState(false);
  const fork = useCommand(ConversationForkDocument);
  const remove = useCommand(ConversationDeleteDocument);
  const { id, title } = session;

  const forkAll = async () => {
    const forked = await fork.send({ input: { sessionId: id, clientKey: crypto.randomUUID() } });
    if (forked?.session) {
      toast.note("This is the fork. The other conversation stays as it is.");
      void navigate(`/chat/${forked.session.id}`);
    }
  };
  const removeAll = async () => {
    if (await remove.send({ input: { sessionId: id, clientKey: crypto.randomUUID() } })) {
      void navigate("/chat");
      dropSession(id);
    }
  };
  const exported = (format: string, ending: string) =>
    void download(`/sessions/${id}/export?format=${format}`, `${nameOf(title)}.${ending}`);

  return (
    <header className={styles.header}>
      <h2 className={styles.title}>{title}</h2>
      <ul className={styles.facts} aria-label="About this conversation">
        {session.model && (
          <li>
            <Badge>{modelOf(session)}</Badge>
          </li>
        )}
        <li>{short(session.totalTokensUsed)} tokens</li>
        <li>{dollars(session.estimatedCost)}</li>
      </ul>
      <Link to={`/figures/${id}`} className={styles.figures} aria-label="Figures of this conversation">
        <ChartColumn size={18} aria-hidden />
      </Link>
      <Menu
        label="Conversation"
        trigger={
          <Button kind="quiet" icon aria-label="More about this conversation">
            <Ellipsis size={18} aria-hidden />
          </Button>
        }
        entries={[
          {
            id: "fork",
            label: "Fork",
            icon: <GitFork size={16} aria-hidden />,
            onAction: () => void forkAll(),
            isDisabled: fork.sending,
          },
          {
            id: "markdown",
            label: "Export as Markdown",
            icon: <Download size={16} aria-hidden />,
            onAction: () => exported("markdown", "md"),
          },
          {
            id: "json",
            label: "Export as JSON lines",
            icon: <FileJson size={16} aria-hidden />,
            onAction: () => exported("jsonl", "jsonl"),
          },
          {
            id: "delete",
            label: "Delete",
            icon: <Trash2 size={16} aria-hidden />,
            onAction: () => setDeleting(true),
            danger: true,
          },
        ]}
      />
      <Confirm
        title="Delete this conversation?"
        action="Delete"
        isOpen={deleting}
        onClose={() => setDeleting(false)}
        onConfirm={() => void removeAll()}
      >
        <p>“{title}” is deleted with all of its messages and files. This cannot be undone.</p>
      </Confirm>
    </header>
  );
}

/** A name that every system takes for a file. */
function nameOf(title: string): string {
  return (
    title
      .replaceAll(/[^\p{L}\p{N} ._-]/gu, "_")
      .trim()
      .slice(0, 80) || "conversation"
  );
}
