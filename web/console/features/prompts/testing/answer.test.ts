import { expect, test } from "vitest";

import { type AnswerEvent, NOTHING_YET, taken } from "./answer";

const after = (...events: AnswerEvent[]) => events.reduce(taken, NOTHING_YET);

const DELTA: AnswerEvent = { __typename: "CompletionDelta", seq: 2, text: "lo" };

test("a snapshot stands in the place of what was there, and more is appended", () => {
  expect(after(DELTA, { __typename: "CompletionSnapshot", seq: 1, text: "Hel" }, DELTA).text).toBe("Hello");
});

test("after its tools have answered, the model begins another message", () => {
  const waiting = after(DELTA, { __typename: "CompletionToolCall", seq: 3 });

  expect(waiting).toMatchObject({ text: "lo", waits: true });
  expect(taken(waiting, { __typename: "CompletionTurn", seq: 4 })).toMatchObject({ text: "", waits: false });
});

test("what was written stays when it was stopped", () => {
  const run = {
    __typename: "Run" as const,
    id: "R",
    status: "CANCELLED" as const,
    cost: null,
    usage: null,
    error: null,
    promptExecution: null,
  };

  expect(after(DELTA, { __typename: "CompletionCancelled", seq: 3, run })).toEqual({
    text: "lo",
    waits: false,
    ended: run,
  });
});
