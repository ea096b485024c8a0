/** A cell: a number as the API tells it, a text, or nothing. */
export type Cell = string | null;

/** A text that a spreadsheet would take for a formula. */
const FORMULA = /^[=+\-@\t\r]/;
const NUMBER = /^-?\d+(\.\d+)?$/;

/**
 * A table as RFC 4180 has it. Numbers stand as they are, to the last place; a text that a spreadsheet would run as a
 * formula has an apostrophe before it, for names of tools and models are anybody's.
 */
export function csv(heads: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [heads, ...rows].map((row) => `${row.map(escaped).join(",")}\r\n`).join("");
}

function escaped(cell: Cell): string {
  if (cell === null) {
    return "";
  }
  const text = FORMULA.test(cell) && !NUMBER.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
