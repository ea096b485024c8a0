import type { Nodes } from "mdast";
import remarkGfm from "remark-gfm";
import remarkParse from "remark-parse";
import { unified } from "unified";

/** A part of a text that is shown by itself: a paragraph, a list, a table. */
export interface Block {
  text: string;
  /** Of the last heading before it, as it is shown; 0 where there is none. */
  after: number;
}

/** A text in its blocks. */
export interface Blocks {
  text: string;
  blocks: readonly Block[];
  /** What stands in one place is meant in another: it has to be read as one. */
  whole: boolean;
}

const parser = unified().use(remarkParse).use(remarkGfm);

/**
 * The blocks of a text. Of one that has only grown, what was there is not read again: nothing that is appended changes
 * a block that has another behind it.
 */
export function split(text: string, known?: Blocks): Blocks {
  const grown = known && !known.whole && text.startsWith(known.text);
  const kept = grown ? known.blocks.slice(0, -1) : [];
  const last = grown ? known.blocks.at(-1) : undefined;
  const start = kept.reduce((length, block) => length + block.text.length, 0);
  const added = read(text.slice(start), last?.after ?? 0);
  return added
    ? { text, blocks: [...kept, ...added], whole: false }
    : { text, blocks: [{ text, after: 0 }], whole: true };
}

/** The blocks of a text behind a heading of this level; null where one refers to another: by a name, or to a footnote. */
function read(text: string, after: number): Block[] | null {
  const { children } = parser.parse(text);
  const blocks: Block[] = [];
  let level = after;
  for (const [index, node] of children.entries()) {
    const next = children[index + 1];
    const inside = levels(node);
    if (inside === null) {
      return null;
    }
    blocks.push({ text: text.slice(index === 0 ? 0 : lineOf(node), next && lineOf(next)), after: level });
    level = inside.reduce(inOrder, level);
  }
  return blocks;
}

/** The level at which a heading is shown behind another, so that none is left out between them. */
export function inOrder(previous: number, level: number): number {
  return Math.min(level, previous + 1);
}

/** The levels of the headings in it, in order; null where it defines what another block may refer to. */
function levels(node: Nodes): number[] | null {
  if (node.type === "definition" || node.type === "footnoteDefinition") {
    return null;
  }
  const found: number[] = node.type === "heading" ? [node.depth] : [];
  for (const child of "children" in node ? node.children : []) {
    const inside = levels(child);
    if (inside === null) {
      return null;
    }
    found.push(...inside);
  }
  return found;
}

/** Where the line begins on which a block does. */
function lineOf({ position }: Nodes): number {
  return position?.start.offset === undefined ? 0 : position.start.offset - (position.start.column - 1);
}
