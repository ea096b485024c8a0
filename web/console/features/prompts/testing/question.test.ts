import { expect, test } from "vitest";

import type { PromptTextFragment } from "../documents.generated";
import { draftOf, type Fields, newVariable } from "../editing/draft";
import { askSaved, askUnsaved, variablesOf } from "./question";

const FIELDS: Fields = {
  name: "Answer",
  description: "",
  type: "CUSTOM",
  content: "{{shop}}: at most {{words}} words{{more}}",
  variables: [
    { ...newVariable("shop"), required: true },
    { ...newVariable("words"), type: "INTEGER", default: "80" },
  ],
};

const TEMPLATE: PromptTextFragment = {
  __typename: "PromptTemplate",
  id: "T",
  version: 7,
  name: "Answer",
  description: null,
  type: "CUSTOM",
  content: "{{shop}}",
  declaredVariables: [
    { __typename: "PromptVariable", name: "shop", type: "JSON", description: null, required: true, default: null },
  ],
};

test("a version is asked by its number, with values of their types", () => {
  expect(askSaved(TEMPLATE, { shop: "null", gone: "1" })).toEqual({
    kind: "ask",
    input: { templateId: "T", version: 7, variables: { shop: null } },
  });
});

test("an unsaved text is asked with values and defaults in it", () => {
  expect(variablesOf(FIELDS).map(({ name }) => name)).toEqual(["shop", "words", "more"]);
  expect(askUnsaved(FIELDS, { shop: "{{words}}", more: "!" })).toEqual({
    kind: "ask",
    input: { content: "{{words}}: at most 80 words!" },
  });
});

test("null is a value of JSON", () => {
  const fields = draftOf(TEMPLATE).base;

  expect(askUnsaved(fields, { shop: "null" })).toMatchObject({ input: { content: "null" } });
});

test.each([
  [{ more: "x" }, "shop needs a value."],
  [{ shop: "x", more: "x", words: "many" }, "words: This must be a whole number."],
])("nothing is asked with %j", (values, problem) => {
  expect(askUnsaved(FIELDS, values)).toEqual({ kind: "problem", problem });
});

test("a text that cannot be saved is not asked", () => {
  expect(askUnsaved({ ...FIELDS, content: "a\n{{#if}}" }, {})).toEqual({
    kind: "problem",
    problem: "{{#if}} in line 2 is no variable.",
  });
});
