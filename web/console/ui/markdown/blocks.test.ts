import { expect, test } from "vitest";

import { type Blocks, split } from "./blocks";

const TEXT = `# Title

A paragraph
in two lines.

- a list

  with a paragraph
- and more

\`\`\`js
const a = 1;

const b = 2;
\`\`\`

    indented

| a | b |
|---|---|
| 1 | 2 |

<div>

## End ##
Last
====
`;

test("the blocks are the text", () => {
  const { blocks } = split(TEXT);

  expect(blocks.map(({ text }) => text).join("")).toBe(TEXT);
  expect(blocks.map(({ text }) => text.trim().split("\n")[0])).toEqual([
    "# Title",
    "A paragraph",
    "- a list",
    "```js",
    "indented",
    "| a | b |",
    "<div>",
    "## End ##",
    "Last",
  ]);
});

test("a text that grows by each letter ends in the same blocks as one that is there at once", () => {
  let known: Blocks | undefined;
  for (let length = 0; length <= TEXT.length; length += 1) {
    known = split(TEXT.slice(0, length), known);
  }

  expect(known).toEqual(split(TEXT));
});

test("a text that becomes another one is read anew", () => {
  expect(split("other\n\ntext", split(TEXT))).toEqual(split("other\n\ntext"));
});

test("a text whose parts refer to each other is one block", () => {
  const text = "[a]\n\n[a]: https://example.org";

  expect(split(text, split("[a]\n\n["))).toEqual({ text, blocks: [{ text, after: 0 }], whole: true });
});
