import { describe, expect, it } from "vitest";

import { NO_CHANGES, noted, type SessionEvent, together } from "./changes";

const event = (kind: string, payload: unknown = {}): SessionEvent => ({ kind, payload }) as SessionEvent;

describe("what an event changes", () => {
  it.each(["MESSAGE_APPENDED", "SESSION_LEAF_SET", "RUN_QUEUED", "RUN_CONTINUED"])("is the path: %s", (kind) => {
    expect(noted(NO_CHANGES, event(kind))).toEqual({ ...NO_CHANGES, path: true });
  });

  it("is the message that is named", () => {
    expect(noted(NO_CHANGES, event("RUN_COMPLETED", { messageId: "m1" }))).toEqual({
      ...NO_CHANGES,
      standing: true,
      nodes: new Set(["m1"]),
    });
    expect(noted(NO_CHANGES, event("ATTACHMENT_ADDED", { messageId: "m1" })).nodes).toEqual(new Set(["m1"]));
  });

  it("is the execution that somebody decided about", () => {
    expect(noted(NO_CHANGES, event("TOOL_EXECUTION_DECIDED", { toolExecutionId: "e1", approved: true })).nodes).toEqual(
      new Set(["e1"]),
    );
  });

  it("is nothing where nothing of it is shown", () => {
    expect(noted(NO_CHANGES, event("SESSION_AGENT_STATE_SET"))).toBe(NO_CHANGES);
    expect(noted(NO_CHANGES, event("A_LATER_KIND"))).toBe(NO_CHANGES);
    expect(noted(NO_CHANGES, event("MESSAGE_DELETED", null)).nodes.size).toBe(0);
  });

  it("adds up", () => {
    const one = noted(NO_CHANGES, event("MESSAGE_UPDATED", { messageId: "m1" }));
    const other = noted(noted(NO_CHANGES, event("SESSION_LEAF_SET")), event("TOOL_CALL_ADDED", { messageId: "m2" }));

    expect(together(one, other)).toEqual({
      path: true,
      standing: true,
      nodes: new Set(["m1", "m2"]),
      deleted: false,
    });
  });
});
