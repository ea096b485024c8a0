import { expect, test } from "vitest";

import { highlight } from "./highlight";
import { grammarsOf } from "./languages";

test("code has the colours of its language", async () => {
  expect(await highlight("python", "return 1 # one")).toEqual([
    { text: "return", kind: "keyword" },
    { text: " ", kind: null },
    { text: "1", kind: "number" },
    { text: " ", kind: null },
    { text: "# one", kind: "comment" },
  ]);
});

test.each([
  ["py", "python"],
  ["Python", "python"],
  ["TSX", "typescript"],
  ["yml", "yaml"],
  ["toml", "ini"],
  ["c++", "cpp"],
])("%s is %s", async (written, name) => {
  expect((await grammarsOf(written)).map(([known]) => known)).toEqual([name]);
});

test("what stands within another language has its own colours", async () => {
  const pieces = await highlight("html", "<script>return 1;</script>");
  expect(pieces).toContainEqual({ text: "return", kind: "keyword" });
});

test("of a language that nobody knows, it is one piece", async () => {
  expect(await highlight("klingon", "nuqneH 1")).toEqual([{ text: "nuqneH 1", kind: null }]);
});
