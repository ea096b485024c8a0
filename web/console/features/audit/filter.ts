import type { AuditEventsQueryVariables } from "./documents.generated";
import { isKind } from "./kinds";

type Filter = AuditEventsQueryVariables["filter"];

/** What one may ask for, as the address of the page has it. */
export const FILTERS = ["kind", "actor", "session", "project", "correlation", "from", "to"] as const;

export type FilterName = (typeof FILTERS)[number];

/** What the server is asked for by the address of the page. */
export function filterOf(params: URLSearchParams): Filter {
  const given = (name: FilterName) => (params.get(name) === "" ? null : params.get(name));
  const kind = given("kind");
  return {
    // An address may name anything; what is no kind is no filter.
    kind: isKind(kind) ? kind : null,
    actor: given("actor"),
    sessionId: given("session"),
    projectId: given("project"),
    correlationId: given("correlation"),
    from: given("from"),
    to: given("to"),
  };
}

/** A moment as a field of date and time has it, in the time zone of the person; empty for none. */
export function toField(moment: string | null): string {
  const at = moment ? new Date(moment) : null;
  if (!at || Number.isNaN(at.getTime())) {
    return "";
  }
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The moment that such a field means; empty for none. */
export function fromField(text: string): string {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? "" : at.toISOString();
}
