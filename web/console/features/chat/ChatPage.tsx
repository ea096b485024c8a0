import { ArrowLeft } from "lucide-react";
import { VisuallyHidden } from "react-aria-components";
import { Link, useLocation, useParams } from "react-router";

import styles from "./ChatPage.module.css";
import { Conversation } from "./conversation/Conversation";
import { SessionsPane } from "./sessions/SessionsPane";

/** In the place of an id: a conversation that is to begin. On a phone, `/chat` alone is the list. */
const NEW = "new";

/** The conversations, and one of them. */
export function Component() {
  const { sessionId } = useParams();
  const { search } = useLocation();
  const selected = sessionId === undefined || sessionId === NEW ? null : sessionId;
  return (
    <div className={`${styles.chat} ${sessionId === undefined ? styles.list : styles.one}`}>
      <VisuallyHidden elementType="h1">Chat</VisuallyHidden>
      <div className={styles.sessions}>
        <SessionsPane selected={selected} />
      </div>
      <div className={styles.conversation}>
        <Link className={styles.back} to={{ pathname: "/chat", search }}>
          <ArrowLeft size={16} aria-hidden />
          Conversations
        </Link>
        <Conversation sessionId={selected} />
      </div>
    </div>
  );
}
