import { expect, test } from "vitest";

import { filterOf, fromField, toField } from "./filter";
import { inWords } from "./kinds";

test("the address says what is asked for", () => {
  const params = new URLSearchParams("kind=RUN_FAILED&actor=alice&from=2030-01-01T00:00:00.000Z&session=");

  expect(filterOf(params)).toEqual({
    kind: "RUN_FAILED",
    actor: "alice",
    sessionId: null,
    projectId: null,
    correlationId: null,
    from: "2030-01-01T00:00:00.000Z",
    to: null,
  });
});

test("what is no kind is no filter", () => {
  expect(filterOf(new URLSearchParams("kind=toString")).kind).toBeNull();
});

test("moments are those of the person's own clock, and stay the same on the way", () => {
  const moment = new Date(2030, 5, 15, 12, 30).toISOString();

  expect(toField(moment)).toBe("2030-06-15T12:30");
  expect(fromField(toField(moment))).toBe(moment);
  expect([toField(null), toField("yesterday"), fromField("")]).toEqual(["", "", ""]);
});

test("kinds are words", () => {
  expect(inWords("TOOL_EXECUTION_DECIDED")).toBe("Tool execution decided");
});
