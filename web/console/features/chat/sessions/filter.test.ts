import { expect, test } from "vitest";

import type { SessionItemFragment } from "./documents.generated";
import { asked, filterOf, matches } from "./filter";

const SESSION: SessionItemFragment = {
  __typename: "ChatSession",
  id: "1",
  title: "Trip",
  status: "PAUSED",
  updatedAt: "2026-01-01T00:00:00Z",
  messageCount: 0,
  metadata: { __typename: "SessionMetadata", id: "2", tags: ["a", "b"] },
  activeRun: null,
};

test("a filter is what the address says", () => {
  const query = new URLSearchParams("status=PAUSED&tag=a%26b&q=train&status=ACTIVE&status=NONE&tag=a%26b");

  expect(filterOf(query)).toEqual({ status: ["ACTIVE", "PAUSED"], tags: ["a&b"] });
});

test("the server is asked for what is said alone", () => {
  expect(asked({ status: [], tags: [] })).toEqual({});
  expect(asked({ status: ["ACTIVE"], tags: ["a"] })).toEqual({ status: ["ACTIVE"], tags: ["a"] });
});

test.each([
  [{ status: [], tags: [] }, true],
  [{ status: ["ACTIVE", "PAUSED"], tags: ["b"] }, true],
  [{ status: ["ACTIVE"], tags: [] }, false],
  [{ status: [], tags: ["a", "c"] }, false],
] as const)("%j has it: %s", (filter, is) => {
  expect(matches(filter, SESSION)).toBe(is);
});

test("a session without metadata has no tags", () => {
  expect(matches({ status: [], tags: ["a"] }, { ...SESSION, metadata: null })).toBe(false);
});
