const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const DAY = new Intl.DateTimeFormat("en", { dateStyle: "medium" });
const EXACT = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });

const UNITS: readonly [Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

const RECENT_SECONDS = 7 * 86_400;

/** How long ago, or the day where that is more than a week. */
export function ago(at: string, now = Date.now()): string {
  const seconds = (Date.parse(at) - now) / 1000;
  if (Math.abs(seconds) > RECENT_SECONDS) {
    return DAY.format(new Date(at));
  }
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ["minute", 60];
  return Math.abs(seconds) < 60 ? "just now" : RELATIVE.format(Math.trunc(seconds / length), unit);
}

/** A moment, as people speak of it; the exact one shows when pointed at. */
export function Moment({ at }: { at: string }) {
  return (
    <time dateTime={at} title={EXACT.format(new Date(at))}>
      {ago(at)}
    </time>
  );
}
