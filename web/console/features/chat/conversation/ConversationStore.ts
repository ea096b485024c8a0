import { client } from "../../../api/client";
import { tell } from "../../../api/errors";
import { follow, SubscriptionRefused } from "../../../api/socket";
import { toast } from "../../../ui/toasts";
import { bumpSession, dropSession } from "../sessions/lists";
import { type Changes, NO_CHANGES, noted, together } from "./changes";
import {
  ConversationEventsDocument,
  type ConversationMessageFragment,
  ConversationMessagesDocument,
  ConversationNewestDocument,
  ConversationOlderDocument,
  ConversationPositionDocument,
  ConversationStandingDocument,
  type ConversationStepsFragment,
} from "./documents.generated";
import { extended, joined, NO_PATH, type Path, preceded, type Step } from "./path";

/** Of a session: what fills a window, and some. */
const NEWEST = 30;

/** At once, of what is scrolled to. */
const OLDER = 60;

/** The most that a page may have, where one message is looked for. */
const SOUGHT = 100;

/** So many pages are fetched to join a new end of the path to what is known; beyond that, the new end alone is shown. */
const MOST_JOINING_PAGES = 8;

/** Events come several at a time: what they tell of is asked for together. */
const GATHER_MS = 25;

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

export interface ConversationState {
  status: "loading" | "ready" | "missing" | "deleted" | "failed";
  error: unknown;
  path: Path;
  fetchingOlder: boolean;
  /** How often messages were stored from here. */
  sent: number;
}

/** Before anything of it is known. */
export const BEGINNING: ConversationState = {
  status: "loading",
  error: null,
  path: NO_PATH,
  fetchingOlder: false,
  sent: 0,
};

/**
 * A session that is open: the end of its active path, and what happens to it from now on, here or elsewhere. Messages
 * and the session itself are in the cache; here are the ids of those that are shown, in order.
 */
export class ConversationStore {
  #state = BEGINNING;
  readonly #listeners = new Set<() => void>();
  #stop: (() => void) | null = null;
  /** Grows with each opening: what an earlier one asked for is not taken. */
  #opening = 0;
  #changes: Changes = NO_CHANGES;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #fetching = false;
  #pause = FIRST_PAUSE_MS;
  #older: Promise<boolean> | null = null;

  constructor(readonly sessionId: string) {}

  readonly get = (): ConversationState => this.#state;

  /** Call back at each change; the session is followed for as long as somebody listens. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) {
      void this.open();
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) {
        this.#close();
      }
    };
  };

  /** Read the session, and follow it from there. */
  async open(): Promise<void> {
    this.#close();
    const opening = this.#opening;
    const { sessionId } = this;
    if (this.#state.status === "failed") {
      this.#become({ status: "loading", error: null });
    }
    try {
      // The position first: what happens after it is told, so that nothing falls between the two.
      const { data } = await client.query({
        query: ConversationPositionDocument,
        variables: { sessionId },
        fetchPolicy: "no-cache",
      });
      if (opening !== this.#opening) {
        return;
      }
      this.#follow(data?.auditEvents.nodes[0]?.seq ?? "0");
      await this.#renewPath(opening);
    } catch (error) {
      if (opening === this.#opening && this.#state.status === "loading") {
        this.#become({ status: "failed", error });
      } else if (opening === this.#opening) {
        this.#note({ ...NO_CHANGES, path: true });
      }
    }
  }

  /** Fetch the page before the first message that is there; false where that could not be had. */
  fetchOlder(count = OLDER): Promise<boolean> {
    this.#older ??= this.#fetchOlder(count).finally(() => {
      this.#older = null;
    });
    return this.#older;
  }

  /** Fetch older messages until this one is there; false where it is not on the path, null where nobody could say. */
  async reach(messageId: string): Promise<boolean | null> {
    const opening = this.#opening;
    while (opening === this.#opening) {
      const { steps, older } = this.#state.path;
      if (steps.some(({ id }) => id === messageId)) {
        return true;
      }
      if (older === null) {
        return false;
      }
      if (!(await this.fetchOlder(SOUGHT))) {
        break;
      }
    }
    return null;
  }

  /** Go on with messages that the server has stored just now. */
  accept(messages: readonly (ConversationMessageFragment | null | undefined)[]): void {
    const steps = messages.filter((message) => message != null).map(stepOf);
    const path = extended(this.#state.path, steps);
    if (path && this.#state.status === "ready") {
      this.#become({ path, sent: this.#state.sent + 1 });
    }
    this.#note({ ...NO_CHANGES, path: path === null, standing: true });
  }

  /** Fetch the end of the path: another branch was chosen. */
  async renew(): Promise<void> {
    try {
      await this.#renewPath(this.#opening);
    } catch {
      // It is fetched as what an event tells of, until it is there.
      this.#note({ ...NO_CHANGES, path: true });
    }
  }

  async #fetchOlder(count: number): Promise<boolean> {
    const { older } = this.#state.path;
    if (older === null) {
      return true;
    }
    const opening = this.#opening;
    this.#become({ fetchingOlder: true });
    try {
      const page = await this.#page(older, count);
      // Unless the path became another meanwhile.
      if (opening === this.#opening && page && this.#state.path.older === older) {
        this.#become({ path: preceded(this.#state.path, page) });
      }
      return page !== null;
    } catch (error) {
      void toast.failure(tell(error), true).then((again) => again && this.fetchOlder(count));
      return false;
    } finally {
      this.#become({ fetchingOlder: false });
    }
  }

  #follow(after: string): void {
    this.#stop = follow(
      ConversationEventsDocument,
      { sessionId: this.sessionId },
      {
        next: ({ sessionEvents }) => {
          this.#note(noted(NO_CHANGES, sessionEvents));
          return sessionEvents.seq;
        },
        refused: (error: SubscriptionRefused) => this.#become({ status: "failed", error }),
      },
      after,
    );
  }

  #close(): void {
    this.#opening += 1;
    this.#stop?.();
    this.#stop = null;
    this.#changes = NO_CHANGES;
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
  }

  #become(change: Partial<ConversationState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of [...this.#listeners]) {
      listener();
    }
  }

  #note(changes: Changes): void {
    if (changes.deleted) {
      // What is asked for meanwhile would only say that it is not there.
      this.#close();
      this.#become({ status: "deleted" });
      dropSession(this.sessionId);
      return;
    }
    this.#changes = together(this.#changes, changes);
    if (this.#timer === null && !this.#fetching) {
      this.#timer = setTimeout(() => void this.#fetch(), GATHER_MS);
    }
  }

  /** Ask for what has changed; where that fails, again after a while, until it is known. */
  async #fetch(): Promise<void> {
    const opening = this.#opening;
    const changes = this.#changes;
    this.#timer = null;
    this.#changes = NO_CHANGES;
    if (!changes.path && !changes.standing && changes.nodes.size === 0) {
      return;
    }
    this.#fetching = true;
    try {
      await this.#renew(changes, opening);
      this.#pause = FIRST_PAUSE_MS;
    } catch {
      if (opening === this.#opening) {
        this.#changes = together(this.#changes, changes);
        await new Promise((resolve) => setTimeout(resolve, this.#pause));
        this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE_MS);
      }
    } finally {
      this.#fetching = false;
      if (opening === this.#opening) {
        this.#note(NO_CHANGES);
      }
    }
  }

  async #renew({ path, standing, nodes }: Changes, opening: number): Promise<void> {
    const { sessionId } = this;
    if (path || standing) {
      bumpSession(sessionId);
    }
    const asked: Promise<unknown>[] = [];
    if (path) {
      asked.push(this.#renewPath(opening));
    } else if (standing) {
      asked.push(
        client.query({ query: ConversationStandingDocument, variables: { sessionId }, fetchPolicy: "network-only" }),
      );
    }
    if (nodes.size > 0) {
      const ids = [...nodes];
      asked.push(this.#renewMessages(ids));
    }
    await Promise.all(asked);
  }

  async #renewMessages(ids: string[]): Promise<void> {
    const { data } = await client.query({
      query: ConversationMessagesDocument,
      variables: { ids },
      fetchPolicy: "network-only",
    });
    // A call that came meanwhile hides the answer to it.
    const steps = new Map<string, Step>();
    for (const node of data?.nodes ?? []) {
      const message = node?.__typename === "ToolExecution" ? node.message : node;
      if (message?.__typename === "ChatMessage") {
        steps.set(message.id, stepOf(message));
      }
    }
    const { path } = this.#state;
    this.#become({ path: { ...path, steps: path.steps.map((step) => steps.get(step.id) ?? step) } });
  }

  async #renewPath(opening: number): Promise<void> {
    const { sessionId } = this;
    const { data } = await client.query({
      query: ConversationNewestDocument,
      variables: { sessionId, last: NEWEST },
      fetchPolicy: "network-only",
    });
    if (opening !== this.#opening) {
      return;
    }
    if (!data?.session) {
      this.#become({ status: "missing" });
      return;
    }
    const newest = pathOf(data.session.activePath);
    const path = this.#state.status === "ready" ? await this.#joined(newest) : newest;
    if (opening === this.#opening) {
      this.#become({ status: "ready", error: null, path });
    }
  }

  /** The newest with what was known before it; where another branch leaves the known path far above, up to there. */
  async #joined(newest: Path): Promise<Path> {
    let end = newest;
    for (let pages = 0; pages < MOST_JOINING_PAGES; pages += 1) {
      const found = joined(this.#state.path, end);
      if (found) {
        return found;
      }
      const page = end.older === null ? null : await this.#page(end.older, OLDER);
      if (page === null) {
        break;
      }
      end = preceded(end, page);
    }
    return joined(this.#state.path, end) ?? newest;
  }

  async #page(before: string, last: number): Promise<Path | null> {
    const { data } = await client.query({
      query: ConversationOlderDocument,
      variables: { sessionId: this.sessionId, last, before },
      fetchPolicy: "network-only",
    });
    return data?.session ? pathOf(data.session.activePath) : null;
  }
}

function pathOf({ edges, pageInfo }: ConversationStepsFragment): Path {
  return {
    steps: edges.map(({ node }) => stepOf(node)),
    older: pageInfo.hasPreviousPage ? pageInfo.startCursor : null,
  };
}

function stepOf({ id, parent, toolCallId, toolCalls }: ConversationMessageFragment): Step {
  return {
    id,
    parentId: parent?.id ?? null,
    answers: toolCallId,
    calls: toolCalls.flatMap(({ callId }) => callId ?? []),
  };
}
