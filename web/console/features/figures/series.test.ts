// @vitest-environment node
import { describe, expect, it } from "vitest";

import type { FiguresMessagesFragment, FiguresUsageFragment } from "./documents.generated";
import { labels } from "./labels";
import { alike, cost, errors, messages, sessions, times, timesByModel, tokens } from "./series";

const DAYS = [
  { start: "2026-10-24T22:00:00+00:00", end: "2026-10-25T23:00:00+00:00" },
  { start: "2026-10-25T23:00:00+00:00", end: "2026-10-26T23:00:00+00:00" },
] as const;
const BERLIN = { bucket: "DAY", zone: "Europe/Berlin" } as const;

const used = (day: 0 | 1, key: string | null, more: Partial<FiguresUsageFragment> = {}): FiguresUsageFragment => ({
  __typename: "UsagePoint",
  ...DAYS[day],
  key,
  runs: 1,
  errors: 0,
  unpricedRuns: 0,
  cost: "0",
  totalTokens: "3",
  inputTokens: "1",
  cachedInputTokens: "0",
  cacheWriteTokens: "0",
  outputTokens: "2",
  reasoningTokens: "0",
  ...more,
});

const stored = (
  day: 0 | 1,
  key: string | null,
  more: Partial<FiguresMessagesFragment> = {},
): FiguresMessagesFragment => ({
  __typename: "MessagePoint",
  ...DAYS[day],
  key,
  messages: 2,
  failedMessages: 1,
  processingTimeP50Ms: null,
  processingTimeP95Ms: null,
  ...more,
});

describe("what is drawn", () => {
  it("has the kinds of tokens, or the models", () => {
    const kinds = tokens([used(0, null), used(1, null, { outputTokens: "9007199254740993" })], "kind", BERLIN);
    expect(kinds.columns.map(({ name, values }) => [name, values])).toEqual([
      ["Input", ["1", "1"]],
      ["Cached input", ["0", "0"]],
      ["Cache writes", ["0", "0"]],
      ["Output", ["2", "9007199254740993"]],
      ["Reasoning", ["0", "0"]],
    ]);
    expect(kinds.rows.map(({ cells }) => cells)).toEqual(DAYS.map(({ start, end }) => [start, end]));

    const models = tokens([used(0, "a"), used(0, "b"), used(1, "a"), used(1, "b")], "model", BERLIN);
    expect(models.columns.map(({ name, values }) => [name, values])).toEqual([
      ["a", ["3", "3"]],
      ["b", ["3", "3"]],
    ]);
    expect(models.rows).toHaveLength(2);
  });

  it("tells an unknown price from none", () => {
    const found = cost([used(0, null, { cost: null }), used(1, null, { cost: "0.0000000001" })], "kind", BERLIN);
    expect(found.columns[0]?.values).toEqual([null, "0.0000000001"]);
  });

  it("counts failures of runs and of messages", () => {
    const found = errors([used(0, null, { errors: 4 })], [stored(0, null)], "kind", BERLIN);
    expect(found.columns.map(({ name, values }) => [name, values])).toEqual([
      ["Failed runs", ["4"]],
      ["Failed messages", ["1"]],
    ]);
  });

  it("names roles, in the order of a conversation", () => {
    const found = messages([stored(0, "ASSISTANT"), stored(0, "TOOL"), stored(0, "USER")], BERLIN);
    expect(found.columns.map(({ name }) => name)).toEqual(["User", "Assistant", "Tool"]);
  });

  it("has both percentiles, or one of each model", () => {
    const points = [stored(0, "a", { processingTimeP50Ms: 5, processingTimeP95Ms: 9 })];
    expect(times(points, BERLIN).columns.map(({ name, values }) => [name, values])).toEqual([
      ["p50", ["5"]],
      ["p95", ["9"]],
    ]);
    expect(timesByModel(points, "processingTimeP95Ms", BERLIN).columns).toEqual([
      { id: "a", name: "a", values: ["9"] },
    ]);
  });

  it("looks alike in all plots", () => {
    const [one, other] = alike([
      tokens([used(0, "a"), used(0, "b")], "model", BERLIN),
      tokens([used(0, "b"), used(0, "c")], "model", BERLIN),
    ]);
    expect(one?.columns.map(({ place }) => place)).toEqual([0, 1]);
    expect(other?.columns.map(({ place }) => place)).toEqual([1, 2]);
  });

  it("leads from sessions to their figures, where they are there", () => {
    const active = { __typename: "SessionActivity", messages: 2, failedMessages: 0, tokens: "7" } as const;
    const session = { __typename: "ChatSession", id: "a=", title: "=Trip" } as const;
    const found = sessions([
      { ...active, session },
      { ...active, session: null },
    ]);
    expect(found.rows.map(({ label, to }) => [label, to])).toEqual([
      ["=Trip", "/figures/a%3D"],
      ["A deleted session", undefined],
    ]);
  });
});

describe("labels", () => {
  it("tell the hours apart that a clock shows twice", () => {
    const hours = ["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"];
    expect(labels(hours, "HOUR", "Europe/Berlin")).toEqual([
      { short: "25 Oct, 02:00", label: "25 Oct 2026, 02:00:00 CEST" },
      { short: "25 Oct, 02:00", label: "25 Oct 2026, 02:00:00 CET" },
    ]);
  });

  it("are those of the zone", () => {
    expect(labels(["2026-03-28T23:00:00Z"], "DAY", "Europe/Berlin")).toEqual([
      { short: "29 Mar", label: "Sun, 29 Mar 2026" },
    ]);
    expect(labels(["2026-03-28T23:00:00Z"], "WEEK", "UTC")[0]?.label).toBe("Week from 28 Mar 2026");
    expect(labels(["2026-03-31T23:00:00Z"], "MONTH", "Europe/Berlin")).toEqual([
      { short: "Apr 26", label: "April 2026" },
    ]);
  });
});
