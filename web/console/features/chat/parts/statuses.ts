import type { Tone } from "../../../ui/Badge";
import type { ExecutionStatus, MessageRole, MessageStatus, ToolCallPartsFragment } from "./parts.generated";

interface Word {
  word: string;
  tone: Tone;
}

const EXECUTIONS: Record<ExecutionStatus, Word> = {
  PENDING: { word: "Not yet executed", tone: "neutral" },
  RUNNING: { word: "Running", tone: "info" },
  COMPLETED: { word: "Done", tone: "success" },
  FAILED: { word: "Failed", tone: "danger" },
  CANCELLED: { word: "Cancelled", tone: "neutral" },
  AWAITING_APPROVAL: { word: "Awaits approval", tone: "warning" },
};

/** How far a call is: by its execution, or where there is none by what it tells itself. */
export function statusOf({ execution, success, result }: ToolCallPartsFragment): Word {
  if (execution) {
    return execution.approved === false ? { word: "Rejected", tone: "danger" } : EXECUTIONS[execution.status];
  }
  if (success === null) {
    return EXECUTIONS[result === null ? "PENDING" : "COMPLETED"];
  }
  return EXECUTIONS[success ? "COMPLETED" : "FAILED"];
}

/** Who speaks, as people are told. */
export const ROLES: Record<MessageRole, string> = {
  SYSTEM: "System",
  USER: "You",
  ASSISTANT: "Assistant",
  TOOL: "Tool",
};

/** How far a message is, where that is worth a word. */
export const MESSAGES: Partial<Record<MessageStatus, Word>> = {
  PENDING: { word: "Waiting", tone: "neutral" },
  PROCESSING: { word: "Writing", tone: "info" },
  FAILED: { word: "Failed", tone: "danger" },
  CANCELLED: { word: "Stopped", tone: "neutral" },
};
