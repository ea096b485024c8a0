import { diffArrays, diffWordsWithSpace } from "diff";

/** A line of both texts, or of the one that has it. */
export interface Row {
  before: Line | null;
  after: Line | null;
}

export interface Line {
  /** From 1, in its text. */
  number: number;
  text: string;
}

/** Rows one after another that are in both texts, or that are not. */
export interface Stretch {
  same: boolean;
  rows: readonly Row[];
}

export interface Comparison {
  stretches: readonly Stretch[];
  added: number;
  removed: number;
  /** Whether the lines were matched; two long texts with little in common are told as one replaced by the other. */
  matched: boolean;
}

/** A part of a line. */
export interface Piece {
  text: string;
  changed: boolean;
}

const LONGEST_MS = 500;
/** Beyond it, words within a line are not compared: nobody reads such a line word by word. */
const LONGEST_LINE = 4_000;
/** Of a line; below it, two lines are two lines, and marking their words would hide that. */
const LEAST_IN_COMMON = 0.3;

/** Which lines of one text are in the other; gives up matching them after half a second. */
export function compare(before: string, after: string): Comparison {
  const old = before.split("\n");
  const young = after.split("\n");
  const changes = diffArrays(old, young, { timeout: LONGEST_MS });
  const runs = changes ?? [
    { value: old, added: false, removed: true },
    { value: young, added: true, removed: false },
  ];

  const stretches: Stretch[] = [];
  const position = { before: 0, after: 0 };
  const take = (texts: readonly string[], side: keyof typeof position): Line[] =>
    texts.map((text) => ({ text, number: ++position[side] }));
  let removed: Line[] = [];
  let added: Line[] = [];
  const close = () => {
    const length = Math.max(removed.length, added.length);
    if (length > 0) {
      const rows = Array.from({ length }, (_, at) => ({ before: removed[at] ?? null, after: added[at] ?? null }));
      stretches.push({ same: false, rows });
    }
    removed = [];
    added = [];
  };
  for (const run of runs) {
    if (run.removed) {
      removed = [...removed, ...take(run.value, "before")];
    } else if (run.added) {
      added = [...added, ...take(run.value, "after")];
    } else {
      close();
      const right = take(run.value, "after");
      const rows = take(run.value, "before").map((line, at) => ({ before: line, after: right[at] ?? null }));
      stretches.push({ same: true, rows });
    }
  }
  close();
  const count = (side: keyof Row) =>
    stretches.filter(({ same }) => !same).reduce((sum, { rows }) => sum + rows.filter((row) => row[side]).length, 0);
  return { stretches, added: count("after"), removed: count("before"), matched: changes !== undefined };
}

/** What was said instead within a line, or null where the two have too little in common, or are too long. */
export function words(before: string, after: string): { before: Piece[]; after: Piece[] } | null {
  if (before.length > LONGEST_LINE || after.length > LONGEST_LINE) {
    return null;
  }
  const changes = diffWordsWithSpace(before, after);
  const common = changes.reduce((sum, { added, removed, value }) => sum + (added || removed ? 0 : value.length), 0);
  if (common < LEAST_IN_COMMON * Math.max(before.length, after.length)) {
    return null;
  }
  return {
    before: changes.filter(({ added }) => !added).map(({ value, removed }) => ({ text: value, changed: removed })),
    after: changes.filter(({ removed }) => !removed).map(({ value, added }) => ({ text: value, changed: added })),
  };
}

/** The comparison in words. */
export function summary({ added, removed }: Comparison): string {
  const lines = (count: number) => `${count} ${count === 1 ? "line" : "lines"}`;
  if (added === 0 && removed === 0) {
    return "No differences";
  }
  return added === 0
    ? `${lines(removed)} removed`
    : removed === 0
      ? `${lines(added)} added`
      : `${lines(added)} added, ${removed} removed`;
}
