import { describe, expect, it } from "vitest";

import { chunksOf, isReadable } from "./chunks";
import { filled, problemOf, type Variable, valuesOf, writtenDefault } from "./templates";

const variable = (type: Variable["type"], rest: Partial<Variable> = {}): Variable => ({
  __typename: "PromptVariable",
  name: "x",
  type,
  description: null,
  required: true,
  default: null,
  ...rest,
});

describe("a file that a model reads", () => {
  it("is text, by its type or its name", () => {
    expect(isReadable({ type: "text/plain", name: "a", size: 1 })).toBe(true);
    expect(isReadable({ type: "", name: "notes.md", size: 1 })).toBe(true);
    expect(isReadable({ type: "image/png", name: "a.png", size: 1 })).toBe(false);
    expect(isReadable({ type: "text/plain", name: "a", size: 10_000_000 })).toBe(false);
  });

  it("comes in parts that are all of it", () => {
    const text = Array.from({ length: 4_000 }, (_, line) => `line ${line}`).join("\n");

    const parts = chunksOf("a.txt", text);

    expect(parts.map(({ text }) => text).join("")).toBe(text);
    expect(parts.every(({ text }) => text.length <= 8_000)).toBe(true);
    expect(parts[0]).toMatchObject({ source: "a.txt", part: 1, parts: parts.length });
    expect(parts[0]?.text.endsWith("\n")).toBe(true);
  });

  it("is not cut inside a character", () => {
    const text = `a${"🙂".repeat(6_000)}`;

    expect(chunksOf("a", text).every(({ text }) => !/[\uD800-\uDBFF]$/.test(text))).toBe(true);
  });
});

describe("a prompt of the library", () => {
  it("is filled by what was written", () => {
    expect(filled("{{ a }} and {{b}}: {{{{ a }}", { a: "{{b}}", b: "$&" })).toBe("{{b}} and $&: {{ a }}");
  });

  it.each([
    ["INTEGER", "1.5", "A whole number is wanted."],
    ["NUMBER", "1.5", null],
    ["NUMBER", "many", "A number is wanted."],
    ["BOOLEAN", "yes", "true or false is wanted."],
    ["JSON", "{", "JSON is wanted."],
    ["JSON", "[1]", null],
    ["TEXT", "", "It needs a value."],
  ] as const)("says what is wrong with a value: %s %s", (type, text, problem) => {
    expect(problemOf(variable(type), text)).toBe(problem);
  });

  it("leaves to the server what has a default", () => {
    expect(problemOf(variable("TEXT", { default: "y" }), "")).toBeNull();
    expect(valuesOf([variable("INTEGER")], { x: "12" })).toEqual({ x: 12 });
    expect(valuesOf([variable("TEXT")], {})).toEqual({});
    expect(writtenDefault(variable("JSON", { default: { a: 1 } }))).toBe('{"a":1}');
    expect(writtenDefault(variable("TEXT", { default: "y" }))).toBe("y");
  });
});
