import type { SessionItemFragment, SessionStatus } from "./documents.generated";

/** Which sessions are listed: in one of these states, with all of these tags. Nothing said is all of them. */
export interface Filter {
  status: readonly SessionStatus[];
  tags: readonly string[];
}

/** How a session may stand, as people are told; in the order in which that is chosen. */
export const STATUSES: Record<SessionStatus, string> = {
  ACTIVE: "Active",
  PAUSED: "Paused",
  COMPLETED: "Completed",
  FAILED: "Failed",
  ARCHIVED: "Archived",
};

export const EVERY_STATUS = Object.keys(STATUSES) as SessionStatus[];

/** As the address of the page says. */
export function filterOf(query: URLSearchParams): Filter {
  const asked = query.getAll("status");
  return { status: EVERY_STATUS.filter((status) => asked.includes(status)), tags: [...new Set(query.getAll("tag"))] };
}

/** As the server is asked. */
export function asked({ status, tags }: Filter): { status?: SessionStatus[]; tags?: string[] } {
  return { ...(status.length > 0 && { status: [...status] }), ...(tags.length > 0 && { tags: [...tags] }) };
}

/** Whether a session is one of them. */
export function matches({ status, tags }: Filter, session: SessionItemFragment): boolean {
  const has = session.metadata?.tags ?? [];
  return (status.length === 0 || status.includes(session.status)) && tags.every((tag) => has.includes(tag));
}
