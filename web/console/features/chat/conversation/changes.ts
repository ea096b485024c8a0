import type { ConversationEventsSubscription } from "./documents.generated";

export type SessionEvent = Pick<ConversationEventsSubscription["sessionEvents"], "kind" | "payload">;

/** What is to be asked for anew, since events said that it has changed. */
export interface Changes {
  /** The end of the active path. */
  path: boolean;
  /** The session itself: its title, counters and the answer under way. */
  standing: boolean;
  /** Messages, or executions whose messages are meant, by their ids. */
  nodes: ReadonlySet<string>;
  deleted: boolean;
}

export const NO_CHANGES: Changes = { path: false, standing: false, nodes: new Set(), deleted: false };

/** The changes with those that an event tells of. */
export function noted(changes: Changes, { kind, payload }: SessionEvent): Changes {
  switch (kind) {
    case "MESSAGE_APPENDED":
    case "SESSION_LEAF_SET":
    case "RUN_QUEUED":
    case "RUN_CONTINUED":
      return { ...changes, path: true };
    case "SESSION_UPDATED":
      return { ...changes, standing: true };
    case "MESSAGE_UPDATED":
    case "MESSAGE_DELETED":
    case "RUN_STARTED":
    case "RUN_REQUIRES_ACTION":
    case "RUN_COMPLETED":
    case "RUN_FAILED":
    case "RUN_CANCELLED":
    case "RUN_INTERRUPTED":
      return { ...changes, standing: true, nodes: withNode(changes, payload, "messageId") };
    case "TOOL_CALL_ADDED":
    case "ATTACHMENT_ADDED":
    case "ATTACHMENT_DELETED":
      return { ...changes, nodes: withNode(changes, payload, "messageId") };
    case "TOOL_EXECUTION_ADDED":
    case "TOOL_EXECUTION_UPDATED":
    case "TOOL_EXECUTION_DECIDED":
    case "TOOL_EXECUTION_EXPIRED":
      return { ...changes, nodes: withNode(changes, payload, "toolExecutionId") };
    case "SESSION_DELETED":
      return { ...changes, deleted: true };
    default:
      // Nothing of it is shown here.
      return changes;
  }
}

/** Both. */
export function together(one: Changes, other: Changes): Changes {
  return {
    path: one.path || other.path,
    standing: one.standing || other.standing,
    nodes: new Set([...one.nodes, ...other.nodes]),
    deleted: one.deleted || other.deleted,
  };
}

function withNode({ nodes }: Changes, payload: unknown, name: string): ReadonlySet<string> {
  const id: unknown = (payload as Record<string, unknown> | null)?.[name];
  return typeof id === "string" ? new Set(nodes).add(id) : nodes;
}
