import type { Column, Figures, Row } from "../../ui/plot/figures";
import type {
  FiguresActivityFragment as Activity,
  FiguresMessagesFragment as MessagePoint,
  UsageBucket,
  FiguresUsageFragment as UsagePoint,
} from "./documents.generated";
import { labels } from "./labels";
import type { Split } from "./range";

/** By what a series is drawn. */
export interface Calendar {
  bucket: UsageBucket;
  zone: string;
}

interface Point {
  start: string;
  end: string;
  key: string | null;
}

type Read<P> = (point: P) => string | number | null;

/** In this order, whatever the alphabet says. */
export const ROLES: Record<string, string> = { USER: "User", ASSISTANT: "Assistant", TOOL: "Tool", SYSTEM: "System" };

const KINDS: readonly (readonly [keyof UsagePoint & `${string}Tokens`, string])[] = [
  ["inputTokens", "Input"],
  ["cachedInputTokens", "Cached input"],
  ["cacheWriteTokens", "Cache writes"],
  ["outputTokens", "Output"],
  ["reasoningTokens", "Reasoning"],
];

export function tokens(points: readonly UsagePoint[], split: Split, calendar: Calendar): Figures {
  return split === "model"
    ? byKey(points, calendar, (point) => point.totalTokens)
    : over(
        points,
        calendar,
        KINDS.map(([kind, name]) => [name, (point) => point[kind]]),
      );
}

export function cost(points: readonly UsagePoint[], split: Split, calendar: Calendar): Figures {
  return split === "model"
    ? byKey(points, calendar, (point) => point.cost)
    : over(points, calendar, [["Cost", (point) => point.cost]]);
}

export function messages(points: readonly MessagePoint[], calendar: Calendar): Figures {
  const { columns, ...rest } = byKey(points, calendar, (point) => point.messages);
  const order = Object.keys(ROLES);
  return {
    ...rest,
    columns: [...columns]
      .sort((one, other) => order.indexOf(one.name) - order.indexOf(other.name))
      .map((column) => ({ ...column, name: ROLES[column.name] ?? column.name })),
  };
}

/** Runs that failed; told apart by nothing, the messages that failed, too. */
export function errors(
  points: readonly UsagePoint[],
  stored: readonly MessagePoint[],
  split: Split,
  calendar: Calendar,
): Figures {
  if (split === "model") {
    return byKey(points, calendar, (point) => point.errors);
  }
  const runs = over(points, calendar, [["Failed runs", (point) => point.errors]]);
  const failed = over(stored, calendar, [["Failed messages", (point) => point.failedMessages]]);
  return { ...runs, columns: [...runs.columns, ...failed.columns] };
}

/** How long half of the answers took at most, and 95 of a hundred. */
export function times(points: readonly MessagePoint[], calendar: Calendar): Figures {
  return over(points, calendar, [
    ["p50", (point) => point.processingTimeP50Ms],
    ["p95", (point) => point.processingTimeP95Ms],
  ]);
}

/** One of the two, of each model. */
export function timesByModel(
  points: readonly MessagePoint[],
  percentile: "processingTimeP50Ms" | "processingTimeP95Ms",
  calendar: Calendar,
): Figures {
  return byKey(points, calendar, (point) => point[percentile]);
}

/** The same series in several plots have the same colours and marks. */
export function alike(plots: readonly Figures[]): Figures[] {
  const names = [...new Set(plots.flatMap(({ columns }) => columns.map(({ name }) => name)))];
  return plots.map(({ columns, ...rest }) => ({
    ...rest,
    columns: columns.map((column) => ({ ...column, place: names.indexOf(column.name) })),
  }));
}

/** Names by how often there is what they name. */
export function counts(head: string, unit: string, found: readonly { key: string; count: number }[]): Figures {
  return {
    heads: [head],
    rows: found.map(({ key }) => ({ short: key, label: key, cells: [key] })),
    columns: [{ id: unit, name: unit, values: found.map(({ count }) => String(count)) }],
  };
}

/** The sessions in which the most was said. */
export function sessions(found: Activity["mostActiveSessions"]): Figures {
  const column = (name: string, read: (each: Activity["mostActiveSessions"][number]) => string | number): Column => ({
    id: name,
    name,
    values: found.map((each) => String(read(each))),
  });
  return {
    heads: ["Session", "id"],
    rows: found.map(({ session }, place) => {
      const label = session?.title ?? "A deleted session";
      return {
        short: label,
        label,
        cells: [label, session?.id ?? `deleted-${place + 1}`],
        ...(session && { to: `/figures/${encodeURIComponent(session.id)}` }),
      };
    }),
    columns: [
      column("Messages", ({ messages }) => messages),
      column("Failed messages", ({ failedMessages }) => failedMessages),
      column("Tokens", ({ tokens }) => tokens),
    ],
  };
}

/** Several figures of each bucket, of a series that is not told apart. */
function over<P extends Point>(points: readonly P[], calendar: Calendar, reads: readonly [string, Read<P>][]): Figures {
  return {
    ...rows(points, calendar),
    columns: reads.map(([name, read]) => ({ id: name, name, values: points.map((point) => text(read(point))) })),
  };
}

/** A column for each key. */
function byKey<P extends Point>(points: readonly P[], calendar: Calendar, read: Read<P>): Figures {
  const keys = [...new Set(points.map(({ key }) => key ?? ""))];
  const of = (key: string | undefined) => points.filter((point) => (point.key ?? "") === key);
  return {
    // Every key has a point in every bucket.
    ...rows(of(keys[0]), calendar),
    columns: keys.map((key) => ({ id: key, name: key, values: of(key).map((point) => text(read(point))) })),
  };
}

function rows(points: readonly Point[], { bucket, zone }: Calendar): { heads: string[]; rows: Row[] } {
  const named = labels(
    points.map(({ start }) => start),
    bucket,
    zone,
  );
  return {
    heads: ["start", "end"],
    rows: points.map(({ start, end }, place) => ({ short: start, label: start, ...named[place], cells: [start, end] })),
  };
}

function text(value: string | number | null): string | null {
  return value === null ? null : String(value);
}
