import { expect, test } from "vitest";

import { asTyped, rendered, typed } from "./values";

test.each([
  ["TEXT", " as it is ", " as it is "],
  ["TEXT", "1", "1"],
  ["INTEGER", " -12 ", -12],
  ["NUMBER", "1.5e3", 1500],
  ["BOOLEAN", "false", false],
  ["JSON", '{"a": [1, null]}', { a: [1, null] }],
  ["JSON", "null", null],
] as const)("%s takes %j", (type, raw, value) => {
  expect(typed(type, raw)).toEqual({ kind: "value", value });
});

test.each([
  ["INTEGER", "1.5"],
  ["INTEGER", "9007199254740993"],
  ["INTEGER", "true"],
  ["NUMBER", '"1"'],
  ["NUMBER", "one"],
  ["BOOLEAN", "1"],
  ["JSON", "{a: 1}"],
] as const)("%s does not take %s", (type, raw) => {
  expect(typed(type, raw).kind).toBe("problem");
});

test("nothing typed is no value", () => {
  expect(typed("TEXT", "")).toEqual({ kind: "none" });
  expect(typed("JSON", "  ")).toEqual({ kind: "none" });
});

test("a value is typed as it is read", () => {
  expect(asTyped("TEXT", "no “quotes”")).toBe("no “quotes”");
  expect(asTyped("BOOLEAN", false)).toBe("false");
  expect(asTyped("JSON", { b: 1 })).toBe('{"b":1}');
  expect(asTyped("INTEGER", null)).toBe("");
});

test("in the text, JSON has no spaces, and its keys are sorted", () => {
  expect(rendered("JSON", { b: [], a: { d: 1, c: "x y" } })).toBe('{"a":{"c":"x y","d":1},"b":[]}');
  expect(rendered("JSON", "quoted")).toBe('"quoted"');
  expect(rendered("TEXT", '{"b": 1}')).toBe('{"b": 1}');
  expect(rendered("BOOLEAN", true)).toBe("true");
});
