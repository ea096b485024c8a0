import { describe, expect, it } from "vitest";

import { compare, summary, words } from "./compare";
import { first, fold } from "./fold";

const lines = (...texts: string[]) => texts.join("\n");

describe("compare", () => {
  it("pairs the lines that were replaced, and numbers them in their own texts", () => {
    const { stretches } = compare(lines("a", "b", "c"), lines("a", "x", "y", "c"));

    expect(stretches).toEqual([
      { same: true, rows: [{ before: { number: 1, text: "a" }, after: { number: 1, text: "a" } }] },
      {
        same: false,
        rows: [
          { before: { number: 2, text: "b" }, after: { number: 2, text: "x" } },
          { before: null, after: { number: 3, text: "y" } },
        ],
      },
      { same: true, rows: [{ before: { number: 3, text: "c" }, after: { number: 4, text: "c" } }] },
    ]);
  });

  it("sees a newline at the end", () => {
    expect(summary(compare("a", "a\n"))).toBe("1 line added");
  });

  it("says how much came and went", () => {
    expect(summary(compare("a\nb", "a\nb"))).toBe("No differences");
    expect(summary(compare("a\nb\nc", "c"))).toBe("2 lines removed");
    expect(summary(compare("a\nb\nc", "x\ny\nz\nb"))).toBe("3 lines added, 2 removed");
  });

  it("answers soon about long texts that have nothing in common", () => {
    const long = (word: string) => Array.from({ length: 30_000 }, (_, at) => `${word} ${at}`).join("\n");
    const began = performance.now();

    const { matched, added, removed } = compare(long("old"), long("young"));

    expect({ matched, added, removed }).toEqual({ matched: false, added: 30_000, removed: 30_000 });
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe("words", () => {
  it("marks what was said instead", () => {
    expect(words("List all open repairs.", "List all closed repairs.")).toEqual({
      before: [
        { text: "List all ", changed: false },
        { text: "open", changed: true },
        { text: " repairs.", changed: false },
      ],
      after: [
        { text: "List all ", changed: false },
        { text: "closed", changed: true },
        { text: " repairs.", changed: false },
      ],
    });
  });

  it("marks nothing in lines with little in common", () => {
    expect(words("alpha beta gamma", "one two three")).toBeNull();
  });
});

describe("fold", () => {
  const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `${from + at}`);
  const { stretches } = compare(
    lines("old", ...numbers(0, 20), "old", ...numbers(20, 24)),
    lines("new", ...numbers(0, 20), "new", ...numbers(20, 24)),
  );

  it("keeps three lines beside each change", () => {
    const blocks = fold(stretches, new Set());

    expect(blocks.map((block) => (block.kind === "fold" ? block.count : block.rows.length))).toEqual([
      1, 3, 14, 3, 1, 4,
    ]);
  });

  it("unfolds what was opened", () => {
    const blocks = fold(stretches, new Set([1]));

    expect(blocks.map((block) => (block.kind === "fold" ? block.count : block.rows.length))).toEqual([1, 20, 1, 4]);
  });

  it("draws so many rows and counts the others", () => {
    const { blocks, beyond } = first(fold(stretches, new Set([1])), 5);

    expect(blocks.map((block) => (block.kind === "fold" ? 0 : block.rows.length))).toEqual([1, 4]);
    expect(beyond).toBe(21);
  });
});
