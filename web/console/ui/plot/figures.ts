import { csv } from "./csv";
import { sum } from "./decimals";

/** What a plot shows, its table lists and its file has: exact numbers, as texts of the API. */
export interface Figures {
  /** What the first cells of each row are called. */
  heads: readonly string[];
  rows: readonly Row[];
  columns: readonly Column[];
}

export interface Row {
  /** In few characters, below the axis. */
  short: string;
  label: string;
  /** What it is in the file, a cell for each of the heads. */
  cells: readonly string[];
  /** Where one may read on about it. */
  to?: string;
}

export interface Column {
  id: string;
  name: string;
  /** A number for each row; null where there is none. */
  values: readonly (string | null)[];
  /** Whose colour and marks it has, where plots have the same series: else its own place. */
  place?: number;
}

/** A column as it is drawn. */
export interface Drawn extends Column {
  place: number;
}

/** Of a plot: more series than this cannot be told apart. */
export const MOST_SERIES = 8;

/** The file of these numbers. */
export function fileOf({ heads, rows, columns }: Figures): string {
  return csv(
    [...heads, ...columns.map(({ name }) => name)],
    rows.map(({ cells }, place) => [...cells, ...columns.map(({ values }) => values[place] ?? null)]),
  );
}

/** Whether there is nothing but zeros. */
export function isEmpty({ columns }: Figures): boolean {
  return columns.every(({ values }) => values.every((value) => value === null || Number(value) === 0));
}

/** Of what is none of the series. */
export const OTHERS = -1;

/**
 * The columns that are drawn: all that have numbers, or the largest, in their order. The rest is drawn together where sums are of any
 * sense, which those of percentiles are not.
 */
export function drawn(columns: readonly Column[], summed: boolean, most = MOST_SERIES): readonly Drawn[] {
  const placed = columns
    .map((column, index) => ({ place: index, ...column }))
    .filter(({ values }) => values.some((value) => value !== null));
  if (placed.length <= most) {
    return placed;
  }
  const bySize = placed
    .map((column) => ({ column, size: Number(sum(column.values) ?? 0) }))
    .sort((one, other) => other.size - one.size);
  const large = new Set(bySize.slice(0, summed ? most - 1 : most).map(({ column }) => column));
  const shown = placed.filter((column) => large.has(column));
  if (!summed) {
    return shown;
  }
  const rest = placed.filter((column) => !large.has(column));
  const values = (columns[0]?.values ?? []).map((_, place) => sum(rest.map((column) => column.values[place] ?? null)));
  return [...shown, { id: "others", name: `${rest.length} others`, values, place: OTHERS }];
}
