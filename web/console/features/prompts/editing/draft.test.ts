import { expect, test } from "vitest";

import type { PromptTextFragment } from "../documents.generated";
import { asInput, changesOf, type Draft, draftOf, isChanged, newVariable, problemsOf, rebased } from "./draft";

const TEMPLATE: PromptTextFragment = {
  __typename: "PromptTemplate",
  id: "T",
  version: 3,
  name: "Greeting",
  description: null,
  type: "CUSTOM",
  content: "Hello {{name}}",
  declaredVariables: [
    { __typename: "PromptVariable", name: "name", type: "JSON", description: null, required: false, default: { a: 1 } },
  ],
};

const edited = (fields: Partial<Draft["fields"]>): Draft => {
  const draft = draftOf(TEMPLATE);
  return { ...draft, fields: { ...draft.fields, ...fields } };
};

test("what is as it was is not changed", () => {
  expect(isChanged(edited({ content: "Hello {{name}}", description: "" }))).toBe(false);
});

test("only what was changed is saved", () => {
  expect(changesOf(edited({ content: "Hi" }))).toEqual({ content: "Hi" });
  expect(changesOf(edited({ description: "short" }))).toEqual({ description: "short" });
  expect(changesOf(edited({ variables: [] }))).toEqual({ variables: [] });
});

test("an emptied description is cleared", () => {
  const draft = draftOf({ ...TEMPLATE, description: "long" });

  expect(changesOf({ ...draft, fields: { ...draft.fields, description: "" } })).toEqual({ description: null });
});

test("upon another version, what was not changed is as that says it", () => {
  const theirs = draftOf({ ...TEMPLATE, version: 4, content: "Good day", description: "theirs" });
  const draft = rebased(edited({ content: "Hi" }), 4, theirs.base);

  expect(draft.version).toBe(4);
  expect(draft.fields).toMatchObject({ content: "Hi", description: "theirs" });
  expect(changesOf(draft)).toEqual({ content: "Hi" });
});

test("a default is sent as a value of its type", () => {
  const variables = [
    { ...newVariable("words"), type: "INTEGER" as const, default: "80" },
    { ...newVariable("shop"), description: "Its name" },
  ];

  expect(asInput(variables)).toEqual([
    { name: "words", type: "INTEGER", description: null, required: true, default: 80 },
    { name: "shop", type: "TEXT", description: "Its name", required: true },
  ]);
  expect(problemsOf(variables)).toEqual(new Map());
  expect(problemsOf([{ ...newVariable("words"), type: "INTEGER", default: "many" }]).has("words")).toBe(true);
});
