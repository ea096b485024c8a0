import { CalendarDate, type CalendarDate as Day, parseDate, today } from "@internationalized/date";

import type { UsageBucket } from "./documents.generated";
import { isZone } from "./zones";

/** So many days up to today. */
export const PRESETS = [7, 30, 90] as const;

/** The API counts messages of a leap year at most; a day is left for clocks that change. */
export const MOST_DAYS = 365;

/** The figures of the whole life of a session, or of as much of it as is counted. */
export const WHOLE = "all";

/** A bucket, and the most days of it that are still drawn well. */
const BUCKETS: readonly [UsageBucket, fewest: number, most: number][] = [
  ["HOUR", 1, 14],
  ["DAY", 1, MOST_DAYS],
  ["WEEK", 8, MOST_DAYS],
  ["MONTH", 32, MOST_DAYS],
];

export type Split = "kind" | "model";

/** Which figures are wanted: what the address of the page says. */
export interface Wanted {
  /** One of the presets, or null where days are named. */
  preset: string | null;
  /** The first day. */
  first: Day;
  /** The last day, which counts. */
  last: Day;
  zone: string;
  bucket: UsageBucket;
  split: Split;
}

export interface Defaults {
  zone: string;
  preset: string;
  /** The first day of all that there is. */
  earliest?: Day;
  now?: Day;
}

/** What an address wants; what it does not say, or says wrongly, is as it is by default. */
export function read(address: URLSearchParams, { zone: here, preset, earliest, now }: Defaults): Wanted {
  const named = address.get("zone");
  const zone = named !== null && isZone(named) ? named : here;
  const last = now ?? today(zone);
  const chosen = days(address) ?? { preset, ...upTo(last, preset, earliest) };
  const asked = address.get("range");
  const range =
    asked !== null && isPreset(asked, earliest) ? { preset: asked, ...upTo(last, asked, earliest) } : chosen;
  const possible = buckets(range.first, range.last);
  const bucket = possible.find((each) => each.toLowerCase() === address.get("bucket"));
  return {
    ...range,
    zone,
    bucket: bucket ?? (possible.includes("DAY") && length(range.first, range.last) <= 120 ? "DAY" : "WEEK"),
    split: address.get("split") === "model" ? "model" : "kind",
  };
}

/** The moments that the days of a zone begin and end at, as the API takes them. */
export function moments({ first, last, zone }: Pick<Wanted, "first" | "last" | "zone">): { from: string; to: string } {
  // Where a zone's clock leaves midnight out, the day begins at the moment at which it does.
  return { from: first.toDate(zone).toISOString(), to: last.add({ days: 1 }).toDate(zone).toISOString() };
}

/** Buckets by which so many days are told apart and still drawn. */
export function buckets(first: Day, last: Day): UsageBucket[] {
  const count = length(first, last);
  return BUCKETS.filter(([, fewest, most]) => fewest <= count && count <= most).map(([bucket]) => bucket);
}

/** How many days there are from the first to the last. */
export function length(first: Day, last: Day): number {
  return Math.round((last.toDate("UTC").getTime() - first.toDate("UTC").getTime()) / 86_400_000) + 1;
}

function isPreset(name: string, earliest: Day | undefined): boolean {
  return PRESETS.some((count) => String(count) === name) || (name === WHOLE && earliest !== undefined);
}

function upTo(last: Day, preset: string, earliest: Day | undefined): { first: Day; last: Day } {
  if (preset !== WHOLE || !earliest) {
    return { first: last.subtract({ days: Number(preset) - 1 }), last };
  }
  const furthest = last.subtract({ days: MOST_DAYS - 1 });
  return { first: earliest.compare(furthest) < 0 ? furthest : earliest.compare(last) > 0 ? last : earliest, last };
}

function days(address: URLSearchParams): { preset: null; first: Day; last: Day } | null {
  const first = day(address.get("from"));
  const last = day(address.get("to"));
  const fits = first && last && first.compare(last) <= 0 && length(first, last) <= MOST_DAYS;
  return fits ? { preset: null, first, last } : null;
}

const EARLIEST = new CalendarDate(2000, 1, 2);
const LATEST = new CalendarDate(2199, 12, 30);

function day(text: string | null): Day | null {
  try {
    const found = text === null ? null : parseDate(text);
    return found && found.compare(EARLIEST) >= 0 && found.compare(LATEST) <= 0 ? found : null;
  } catch {
    return null;
  }
}
