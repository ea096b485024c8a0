import type { Row, Stretch } from "./compare";

/** What is drawn: rows, or the place of rows that are folded away. */
export type Block =
  | { kind: "same" | "change"; key: string; rows: readonly Row[] }
  | { kind: "fold"; key: string; stretch: number; count: number };

/** Unchanged lines that stay beside a change. */
const BESIDE = 3;
/** Fewer are not worth a fold. */
const FEWEST_FOLDED = 4;

/** The stretches with what did not change folded away, except those of `opened`. */
export function fold(stretches: readonly Stretch[], opened: ReadonlySet<number>): Block[] {
  return stretches.flatMap(({ same, rows }, at): Block[] => {
    const whole: Block = { kind: same ? "same" : "change", key: `${at}`, rows };
    const head = at === 0 ? 0 : BESIDE;
    const tail = at === stretches.length - 1 ? 0 : BESIDE;
    const count = rows.length - head - tail;
    if (!same || opened.has(at) || count < FEWEST_FOLDED) {
      return [whole];
    }
    const kept: Block[] = [
      { kind: "same", key: `${at}-head`, rows: rows.slice(0, head) },
      { kind: "fold", key: `${at}-fold`, stretch: at, count },
      { kind: "same", key: `${at}-tail`, rows: rows.slice(rows.length - tail) },
    ];
    return kept.filter((block) => block.kind === "fold" || block.rows.length > 0);
  });
}

/** The first `limit` rows of the blocks, and how many there are beyond. */
export function first(blocks: readonly Block[], limit: number): { blocks: Block[]; beyond: number } {
  const taken: Block[] = [];
  let left = limit;
  let beyond = 0;
  for (const block of blocks) {
    if (block.kind === "fold") {
      if (left > 0) {
        taken.push(block);
      }
      continue;
    }
    if (left > 0) {
      taken.push({ ...block, rows: block.rows.slice(0, left) });
    }
    beyond += Math.max(block.rows.length - left, 0);
    left = Math.max(left - block.rows.length, 0);
  }
  return { blocks: taken, beyond };
}
