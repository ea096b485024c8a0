import { ChevronLeft, ChevronRight, Copy, GitFork, Pencil, RefreshCw, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useNavigate } from "react-router";

import { useCommand } from "../../../api/commands";
import { tell } from "../../../api/errors";
import { Button } from "../../../ui/Button";
import { Confirm } from "../../../ui/Dialog";
import { toast } from "../../../ui/toasts";
import type { ConversationStore } from "./ConversationStore";
import styles from "./conversation.module.css";
import {
  ConversationDeleteMessageDocument,
  ConversationForkDocument,
  ConversationGoToDocument,
  type ConversationMessageFragment,
  ConversationRegenerateDocument,
} from "./documents.generated";
import { draftOf } from "./drafts";
import { toolsOf } from "./tools";

export interface MessageActionsProps {
  message: ConversationMessageFragment;
  store: ConversationStore;
  onEdit: () => void;
}

/** What can be done with a message. */
export function MessageActions({ message, store, onEdit }: MessageActionsProps) {
  const [deleting, setDeleting] = useState(false);
  const regenerate = useRegenerate(message, store);
  const fork = useFork(message, store);
  const remove = useCommand(ConversationDeleteMessageDocument);
  const { id, role, content, deletedAt } = message;

  const copy = () =>
    navigator.clipboard.writeText(content).then(
      () => toast.note("Copied."),
      (error: unknown) => void toast.failure(tell(error)),
    );
  return (
    <div className={styles.actions}>
      <Versions message={message} store={store} />
      {deletedAt === null && (
        <>
          <Action label="Copy" icon={<Copy size={15} aria-hidden />} onPress={() => void copy()} />
          {role === "USER" && <Action label="Edit" icon={<Pencil size={15} aria-hidden />} onPress={onEdit} />}
          {role === "ASSISTANT" && (
            <Action label="Regenerate" icon={<RefreshCw size={15} aria-hidden />} onPress={regenerate} />
          )}
          <Action label="Fork from here" icon={<GitFork size={15} aria-hidden />} onPress={fork} />
          <Action label="Delete" icon={<Trash2 size={15} aria-hidden />} onPress={() => setDeleting(true)} />
        </>
      )}
      {deleting && (
        <Confirm
          title="Delete this message?"
          action="Delete"
          isOpen
          onClose={() => setDeleting(false)}
          onConfirm={() => void remove.send({ input: { messageId: id, clientKey: crypto.randomUUID() } })}
        >
          <p>What it says is gone for good, and its files; its place in the conversation stays.</p>
        </Confirm>
      )}
    </div>
  );
}

/** Which of several versions this is, and the way to the others. */
function Versions({ message: { siblings }, store }: Pick<MessageActionsProps, "message" | "store">) {
  const { send, sending } = useCommand(ConversationGoToDocument);
  if (siblings.count < 2) {
    return null;
  }
  const goTo = async (messageId: string) => {
    if (await send({ input: { sessionId: store.sessionId, messageId, clientKey: crypto.randomUUID() } })) {
      await store.renew();
    }
  };
  const arrow = (label: string, sibling: { id: string } | null, icon: ReactNode) => (
    <Button
      kind="quiet"
      icon
      aria-label={label}
      isDisabled={sibling === null || sending}
      onPress={() => sibling && void goTo(sibling.id)}
    >
      {icon}
    </Button>
  );
  return (
    <span className={styles.versions} role="group" aria-label="Versions">
      {arrow("Previous version", siblings.previous, <ChevronLeft size={15} aria-hidden />)}
      <span>
        {siblings.index}/{siblings.count}
      </span>
      {arrow("Next version", siblings.next, <ChevronRight size={15} aria-hidden />)}
    </span>
  );
}

function Action({ label, icon, onPress }: { label: string; icon: ReactNode; onPress: () => void }) {
  return (
    <Button kind="quiet" icon aria-label={label} onPress={onPress}>
      {icon}
    </Button>
  );
}

/** Have it answered once more, by the model and with the tools that are chosen now. */
function useRegenerate({ id }: ConversationMessageFragment, store: ConversationStore): () => void {
  const { send } = useCommand(ConversationRegenerateDocument);
  return () => {
    const draft = draftOf(store.sessionId);
    const input = { messageId: id, model: draft.model, ...toolsOf(draft), clientKey: crypto.randomUUID() };
    void send({ input }).then((regenerated) => regenerated && store.accept([regenerated.message]));
  };
}

function useFork({ id }: ConversationMessageFragment, store: ConversationStore): () => void {
  const navigate = useNavigate();
  const { send } = useCommand(ConversationForkDocument);
  return () => {
    const input = { sessionId: store.sessionId, atMessageId: id, clientKey: crypto.randomUUID() };
    void send({ input }).then((forked) => {
      if (forked?.session) {
        toast.note("This is the fork. The other conversation stays as it is.");
        void navigate(`/chat/${forked.session.id}`);
      }
    });
  };
}
