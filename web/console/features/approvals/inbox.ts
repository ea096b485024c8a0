import { useEffect, useSyncExternalStore } from "react";

import { client } from "../../api/client";
import { follow } from "../../api/socket";
import { coalesced } from "../workflow/coalesced";
import { followProject, followSession } from "../workflow/following";
import type { EventKind } from "../workflow/documents.generated";
import {
  ApprovalsInboxDocument,
  type ApprovalsInboxQuery,
  ApprovalsRequestedDocument,
  ReviewsRequestedDocument,
} from "./documents.generated";

/** What awaits whoever is signed in: how much, and the ids of the oldest. */
export interface Inbox {
  approvals: number;
  reviews: number;
  executionIds: string;
  reviewIds: string;
}

/** Of each kind: so many sessions and projects are followed at most, well below what a socket may. */
const FOLLOWED = 30;

/** What takes something out of the inbox. */
const MATTERS: ReadonlySet<EventKind> = new Set([
  "TOOL_EXECUTION_DECIDED",
  "TOOL_EXECUTION_EXPIRED",
  "TOOL_EXECUTION_UPDATED",
  "MESSAGE_DELETED",
  "SESSION_DELETED",
  "RUN_CANCELLED",
  "STAGE_APPROVED",
  "STAGE_REJECTED",
  "STAGE_STALE",
  "PROJECT_DELETED",
]);

const listeners = new Set<() => void>();
/** What ends the following of each session and project, by its id. */
const followed = new Map<string, () => void>();
let current: Inbox | null = null;
let watchers = 0;
let close = (): void => undefined;

/** Read it anew. */
export const readInbox = coalesced(read);

async function read(): Promise<void> {
  const { data } = await client
    .query({ query: ApprovalsInboxDocument, variables: { first: FOLLOWED }, fetchPolicy: "no-cache" })
    // What was known stays; the next event or the next look at the window asks again.
    .catch(() => ({ data: undefined }));
  if (!data || listeners.size === 0) {
    return;
  }
  const next: Inbox = {
    approvals: data.pendingApprovals.totalCount,
    reviews: data.pendingReviews.totalCount,
    executionIds: data.pendingApprovals.nodes.map(({ id }) => id).join(),
    reviewIds: data.pendingReviews.nodes.map(({ id }) => id).join(),
  };
  if (JSON.stringify(next) !== JSON.stringify(current)) {
    current = next;
    listeners.forEach((listener) => listener());
  }
  if (watchers > 0) {
    followAll(data);
  }
}

/** Hear of decisions made elsewhere: from the sessions and projects that they belong to. */
function followAll({ pendingApprovals, pendingReviews }: ApprovalsInboxQuery): void {
  const heard = (kind: EventKind | null) => {
    if (kind === null || MATTERS.has(kind)) {
      void readInbox();
    }
  };
  const sessions = new Set(pendingApprovals.nodes.flatMap(({ session }) => session?.id ?? []));
  const projects = new Set(pendingReviews.nodes.flatMap(({ project }) => project?.id ?? []));
  for (const [id, end] of followed) {
    if (!sessions.has(id) && !projects.has(id)) {
      end();
      followed.delete(id);
    }
  }
  const begin = (ids: ReadonlySet<string>, by: typeof followSession) => {
    for (const id of [...ids].slice(0, FOLLOWED)) {
      if (!followed.has(id)) {
        followed.set(id, by(id, heard));
      }
    }
  };
  begin(sessions, followSession);
  begin(projects, followProject);
}

function followNone(): void {
  followed.forEach((end) => end());
  followed.clear();
}

function open(): void {
  const look = () => void readInbox();
  /** Both subscriptions begin with what is known by then. */
  const heard = (known: string | undefined, id: string) => {
    if (!known?.includes(id)) {
      look();
    }
    return null;
  };
  const ends = [
    follow(
      ApprovalsRequestedDocument,
      {},
      { next: ({ approvalRequested: { id } }) => heard(current?.executionIds, id) },
    ),
    follow(ReviewsRequestedDocument, {}, { next: ({ reviewRequested: { id } }) => heard(current?.reviewIds, id) }),
  ];
  window.addEventListener("focus", look);
  look();
  close = () => {
    ends.forEach((end) => end());
    window.removeEventListener("focus", look);
    followNone();
  };
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (listeners.size === 1) {
    open();
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      close();
    }
  };
}

/** How much awaits a decision, null until that is known: new requests are heard of, and the count is taken at each. */
export function usePendingCount(): number | null {
  const inbox = useSyncExternalStore(subscribe, () => current);
  return inbox && inbox.approvals + inbox.reviews;
}

/** What awaits a decision; what others decide is heard of as well. */
export function useInbox(): Inbox | null {
  const inbox = useSyncExternalStore(subscribe, () => current);
  useEffect(() => {
    watchers += 1;
    void readInbox();
    return () => {
      watchers -= 1;
      if (watchers === 0) {
        followNone();
      }
    };
  }, []);
  return inbox;
}
