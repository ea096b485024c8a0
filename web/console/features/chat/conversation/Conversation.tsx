import { useEffect, useState } from "react";
import { useLocation, useNavigate } from "react-router";

import { Button } from "../../../ui/Button";
import { prepareMarkdown } from "../../../ui/markdown/Markdown";
import { useTitle } from "../../../ui/Page";
import { Empty, Failure, Loading } from "../../../ui/states";
import { bumpSession } from "../sessions/lists";
import { Composer } from "./Composer";
import styles from "./conversation.module.css";
import { ConversationHeader } from "./ConversationHeader";
import { changeDraft } from "./drafts";
import { MessageList } from "./MessageList";
import type { Sent } from "./sending";
import { useConversation, useSession } from "./useConversation";
import { Welcome } from "./Welcome";

/** A conversation to read and to go on with; without a session, one that is to begin. */
export function Conversation({ sessionId }: { sessionId: string | null }) {
  const navigate = useNavigate();
  const { search } = useLocation();
  const { store, state } = useConversation(sessionId);
  const session = useSession(sessionId);
  // What began here goes on in the same composer: files may be on their way.
  const [begun, setBegun] = useState<string | null>(null);
  useTitle(session?.title ?? "Chat");
  const isOpen = store !== null;
  useEffect(() => {
    if (isOpen) {
      prepareMarkdown();
    }
  }, [isOpen]);

  const accept = ({ session: stored, userMessage, message }: Sent) => {
    if (store) {
      store.accept([userMessage, message]);
    } else if (stored) {
      setBegun(stored.id);
      bumpSession(stored.id);
      void navigate({ pathname: `/chat/${stored.id}`, search });
    }
  };

  if (store && state.status === "failed") {
    return <Failure error={state.error} onRetry={() => void store.open()} />;
  }
  if (store && (state.status === "missing" || state.status === "deleted")) {
    return <Gone deleted={state.status === "deleted"} />;
  }
  return (
    <section className={styles.conversation} aria-label={session?.title ?? "New conversation"}>
      {session && <ConversationHeader session={session} />}
      {store === null ? (
        <Welcome onChoose={(text) => changeDraft(null, { text })} />
      ) : state.status === "loading" || session === null ? (
        <div className={styles.middle}>
          <Loading label="Loading the conversation" />
        </div>
      ) : (
        <MessageList key={`messages of ${session.id}`} store={store} state={state} />
      )}
      <Composer
        key={`composer of ${(sessionId === begun ? null : sessionId) ?? "what begins here"}`}
        sessionId={sessionId}
        session={session}
        leafId={state.path.steps.at(-1)?.id ?? null}
        onSent={accept}
      />
    </section>
  );
}

function Gone({ deleted }: { deleted: boolean }) {
  const navigate = useNavigate();
  return (
    <Empty
      title={deleted ? "This conversation was deleted" : "There is no such conversation"}
      action={
        <Button kind="primary" onPress={() => void navigate("/chat/new")}>
          Begin another
        </Button>
      }
    >
      {deleted ? "It is gone with all of its messages." : "It may have been deleted, or it is another person's."}
    </Empty>
  );
}
