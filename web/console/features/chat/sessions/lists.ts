import { client } from "../../../api/client";
import {
  type SessionItemFragment,
  SessionItemByIdDocument,
  SessionItemFragmentDoc,
  SessionListDocument,
} from "./documents.generated";
import { asked, type Filter, matches } from "./filter";
import { withHead } from "./head";

const PAGE = 100;

export interface ListState {
  /** Last changed first; what each shows is in the cache. */
  ids: readonly string[];
  hasMore: boolean;
  loading: boolean;
  /** Why the last page could not be had; null where it could. */
  error: unknown;
}

/**
 * One list of sessions, as far as it was scrolled. The pages are put together here and not in the cache, which would copy
 * all of them for each that comes: at the end of 100,000 sessions a page costs what the first does.
 */
export class SessionList {
  state: ListState = { ids: [], hasMore: true, loading: false, error: null };
  private readonly filter: Filter;
  private readonly listeners = new Set<() => void>();
  private after: string | null = null;

  constructor(filter: Filter) {
    this.filter = filter;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): ListState => this.state;

  /** Fetch the next page, unless one is on its way or there is none. */
  readonly more = async (): Promise<void> => {
    if (this.state.loading || !this.state.hasMore) {
      return;
    }
    await this.fetch(this.after, ({ ids, endCursor, hasNextPage }) => {
      this.after = endCursor;
      // One that was changed meanwhile stands at the top already.
      const known = new Set(this.state.ids);
      this.show([...this.state.ids, ...ids.filter((id) => !known.has(id))], hasNextPage);
    });
  };

  /** Fetch the beginning anew: what changed elsewhere is there. */
  readonly refresh = async (): Promise<void> => {
    if (this.state.loading) {
      return;
    }
    await this.fetch(null, ({ ids, endCursor, hasNextPage }) => {
      const joined = withHead(this.state.ids, ids, !hasNextPage);
      if (joined === null || !hasNextPage) {
        this.after = endCursor;
        this.show(ids, hasNextPage);
      } else {
        this.show(joined, this.state.hasMore);
      }
    });
  };

  /** A session changed just now: it is the first, if it is one of these. */
  raise(session: SessionItemFragment): void {
    const others = this.state.ids.filter((id) => id !== session.id);
    this.show(matches(this.filter, session) ? [session.id, ...others] : others, this.state.hasMore);
  }

  /** A session is none of these any more. */
  drop(id: string): void {
    if (this.state.ids.includes(id)) {
      const others = this.state.ids.filter((other) => other !== id);
      this.show(others, this.state.hasMore);
    }
  }

  private async fetch(after: string | null, take: (page: Page) => void): Promise<void> {
    this.change({ loading: true, error: null });
    try {
      const { data } = await client.query({
        query: SessionListDocument,
        variables: { filter: asked(this.filter), first: PAGE, after },
        fetchPolicy: "no-cache",
      });
      if (data) {
        const { nodes, pageInfo } = data.sessions;
        client.cache.batch({ update: () => nodes.forEach(keep) });
        take({ ids: nodes.map(({ id }) => id), ...pageInfo });
      }
    } catch (error) {
      this.change({ error });
    } finally {
      this.change({ loading: false });
    }
  }

  private show(ids: readonly string[], hasMore: boolean): void {
    this.change({ ids, hasMore });
  }

  private change(to: Partial<ListState>): void {
    this.state = { ...this.state, ...to };
    for (const listener of this.listeners) {
      listener();
    }
  }
}

interface Page {
  ids: readonly string[];
  hasNextPage: boolean;
  endCursor: string | null;
}

const lists = new Map<string, SessionList>();

/** The list with this filter: the same each time, so that it is there again where a page is come back to. */
export function sessionList(filter: Filter): SessionList {
  const key = JSON.stringify(filter);
  const list = lists.get(key) ?? new SessionList(filter);
  lists.set(key, list);
  return list;
}

/** A session was changed, or something in it was: it is fetched, and stands at the top of the lists that it belongs to. */
export function bumpSession(id: string): void {
  void refetched(id).then(
    (session) => {
      for (const list of lists.values()) {
        if (session) {
          list.raise(session);
        } else {
          list.drop(id);
        }
      }
    },
    // It stays where it was; the list tells of a server that cannot be reached when it is next asked for itself.
    () => undefined,
  );
}

/** A session was deleted: it is in no list, and nothing of it is kept. */
export function dropSession(id: string): void {
  for (const list of lists.values()) {
    list.drop(id);
  }
  const kept = client.cache.identify({ __typename: "ChatSession", id });
  if (kept !== undefined) {
    client.cache.evict({ id: kept });
    client.cache.gc();
  }
}

async function refetched(id: string): Promise<SessionItemFragment | null> {
  const { data } = await client.query({
    query: SessionItemByIdDocument,
    variables: { id },
    fetchPolicy: "network-only",
  });
  return data?.session ?? null;
}

function keep(session: SessionItemFragment): void {
  client.cache.writeFragment({ fragment: SessionItemFragmentDoc, data: session });
}
