import type { ReactNode } from "react";
import { Link } from "react-router";

import { Badge } from "../../../ui/Badge";
import { Button } from "../../../ui/Button";
import { Moment } from "../../../ui/Moment";
import { Empty, Failure, Loading } from "../../../ui/states";
import { MESSAGE } from "../conversation/useSought";
import { ROLES } from "../parts/statuses";
import type { FoundTextFragment } from "./documents.generated";
import { type Filter, STATUSES } from "./filter";
import styles from "./sessions.module.css";
import { useMessageHits, useSessionHits } from "./useSearch";

export interface SearchResultsProps {
  query: string;
  filter: Filter;
  selected: string | null;
  /** The query of the page's address, which leads on with it. */
  search: string;
}

/** What a query finds: conversations, and messages of any. */
export function SearchResults({ query, filter, selected, search }: SearchResultsProps) {
  const sessions = useSessionHits(query, filter);
  const messages = useMessageHits(query);
  const error = sessions.error ?? messages.error;
  const again = (): void => {
    void sessions.refetch();
    void messages.refetch();
  };
  const linkTo = (sessionId: string, messageId?: string) => {
    const params = new URLSearchParams(search);
    if (messageId !== undefined) {
      params.set(MESSAGE, messageId);
    }
    return { pathname: `/chat/${sessionId}`, search: params.toString() };
  };

  if (error) {
    return <Failure error={error} onRetry={again} />;
  }
  if (!sessions.hits || !messages.hits) {
    return <Loading label="Searching" />;
  }
  if (sessions.hits.length === 0 && messages.hits.length === 0) {
    return sessions.loading || messages.loading ? (
      <Loading label="Searching" />
    ) : (
      <Empty title="Nothing found">Try fewer words, or the beginning of one.</Empty>
    );
  }
  return (
    <div className={styles.results} aria-busy={sessions.loading || messages.loading}>
      <Found title="Conversations" hasMore={sessions.hasMore} onMore={sessions.more}>
        {sessions.hits.map(
          ({ node: { session, message, fragments } }) =>
            session && (
              <li key={session.id}>
                <Link
                  to={linkTo(session.id, message?.id)}
                  className={`${styles.hit} ${session.id === selected ? styles.selected : ""}`}
                >
                  <span className={styles.title}>{session.title}</span>
                  <Snippet fragments={fragments} />
                  <span className={styles.facts}>
                    <Moment at={session.updatedAt} />
                    {session.status !== "ACTIVE" && <Badge>{STATUSES[session.status]}</Badge>}
                  </span>
                </Link>
              </li>
            ),
        )}
      </Found>
      <Found title="Messages" hasMore={messages.hasMore} onMore={messages.more}>
        {messages.hits.map(
          ({ node: { message, fragments } }) =>
            message?.session && (
              <li key={message.id}>
                <Link to={linkTo(message.session.id, message.id)} className={styles.hit}>
                  <Snippet fragments={fragments} />
                  <span className={styles.facts}>
                    {ROLES[message.role]} · <Moment at={message.createdAt} />
                    <span className={styles.where}>{message.session.title}</span>
                  </span>
                </Link>
              </li>
            ),
        )}
      </Found>
    </div>
  );
}

interface FoundProps {
  title: string;
  hasMore: boolean;
  onMore: () => void;
  children: readonly ReactNode[];
}

function Found({ title, hasMore, onMore, children }: FoundProps) {
  return (
    children.length > 0 && (
      <section>
        <h3 className={styles.kind}>{title}</h3>
        <ul className={styles.hits} aria-label={title}>
          {children}
        </ul>
        {hasMore && (
          <Button kind="quiet" onPress={onMore}>
            More {title.toLowerCase()}
          </Button>
        )}
      </section>
    )
  );
}

/** A piece of a text, with what was looked for. */
function Snippet({ fragments }: { fragments: readonly FoundTextFragment[] }) {
  return (
    <span className={styles.snippet}>
      {fragments.map(({ text, highlighted }, index) =>
        highlighted ? (
          <mark key={index} className={styles.mark}>
            {text}
          </mark>
        ) : (
          text
        ),
      )}
    </span>
  );
}
