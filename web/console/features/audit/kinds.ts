import type { Tone } from "../../ui/Badge";
import type { AuditEventsQuery } from "./documents.generated";

export type Kind = AuditEventsQuery["auditEvents"]["edges"][number]["node"]["kind"];

/** Every kind of event there is, and how it looks: an ending that one wants, one that one does not, or neither. */
export const TONES: Readonly<Record<Kind, Tone>> = {
  SESSION_CREATED: "success",
  SESSION_FORKED: "neutral",
  SESSION_UPDATED: "neutral",
  SESSION_METADATA_SET: "neutral",
  SESSION_AGENT_STATE_SET: "neutral",
  SESSION_LEAF_SET: "neutral",
  SESSION_DELETED: "warning",
  MESSAGE_APPENDED: "neutral",
  MESSAGE_UPDATED: "neutral",
  MESSAGE_DELETED: "warning",
  TOOL_CALL_ADDED: "neutral",
  ATTACHMENT_ADDED: "neutral",
  ATTACHMENT_DELETED: "warning",
  TOOL_EXECUTION_ADDED: "neutral",
  TOOL_EXECUTION_UPDATED: "neutral",
  TOOL_EXECUTION_DECIDED: "neutral",
  TOOL_EXECUTION_EXPIRED: "danger",
  RUN_QUEUED: "neutral",
  RUN_STARTED: "neutral",
  RUN_REQUIRES_ACTION: "neutral",
  RUN_CONTINUED: "neutral",
  RUN_COMPLETED: "success",
  RUN_FAILED: "danger",
  RUN_CANCELLED: "warning",
  RUN_INTERRUPTED: "danger",
  PROMPT_EXECUTED: "neutral",
  PROJECT_CREATED: "success",
  PROJECT_UPDATED: "neutral",
  PROJECT_DELETED: "warning",
  STAGE_REQUESTED: "neutral",
  STAGE_GENERATING: "neutral",
  STAGE_AWAITING_REVIEW: "neutral",
  STAGE_APPROVED: "success",
  STAGE_REJECTED: "danger",
  STAGE_FAILED: "danger",
  STAGE_STALE: "warning",
};

/** All of them, in the order of the schema. */
export const KINDS = Object.keys(TONES) as Kind[];

/** Whether there is such a kind. */
export function isKind(text: string | null): text is Kind {
  return text !== null && Object.hasOwn(TONES, text);
}

/** A kind in words: SESSION_CREATED is `Session created`. */
export function inWords(kind: Kind): string {
  const words = kind.toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
