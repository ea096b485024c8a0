import type { UsageBucket } from "./documents.generated";

/** How a bucket is called: below an axis, and where there is room. */
export interface Label {
  short: string;
  label: string;
}

type Style = [short: Intl.DateTimeFormatOptions, long: Intl.DateTimeFormatOptions];

const STYLES: Record<UsageBucket, Style> = {
  // With the offset, for an hour that comes twice in autumn.
  HOUR: [
    { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
    { dateStyle: "medium", timeStyle: "long", hourCycle: "h23" },
  ],
  DAY: [
    { day: "numeric", month: "short" },
    { weekday: "short", day: "numeric", month: "short", year: "numeric" },
  ],
  WEEK: [
    { day: "numeric", month: "short" },
    { day: "numeric", month: "short", year: "numeric" },
  ],
  MONTH: [
    { month: "short", year: "2-digit" },
    { month: "long", year: "numeric" },
  ],
};

/** The names of buckets by their first moments, by the clock of a zone. */
export function labels(starts: readonly string[], bucket: UsageBucket, timeZone: string): Label[] {
  const [short, long] = STYLES[bucket].map((style) => new Intl.DateTimeFormat("en-GB", { ...style, timeZone }));
  return starts.map((start) => {
    const label = long?.format(new Date(start)) ?? start;
    return {
      short: short?.format(new Date(start)) ?? start,
      // The first week of a range may begin in its middle.
      label: bucket === "WEEK" ? `Week from ${label}` : label,
    };
  });
}
