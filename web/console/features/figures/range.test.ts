// @vitest-environment node
import { CalendarDate } from "@internationalized/date";
import { describe, expect, it } from "vitest";

import { buckets, length, moments, read } from "./range";
import { isZone, zones } from "./zones";

const now = new CalendarDate(2026, 11, 22);
const wanted = (address: string, more = {}) =>
  read(new URLSearchParams(address), { zone: "Europe/Berlin", preset: "30", now, ...more });
const day = (text: string) => new CalendarDate(...(text.split("-").map(Number) as [number, number, number]));

describe("an address", () => {
  it("wants thirty days by day where it says nothing", () => {
    expect(wanted("")).toEqual({
      preset: "30",
      first: day("2026-10-24"),
      last: now,
      zone: "Europe/Berlin",
      bucket: "DAY",
      split: "kind",
    });
  });

  it("says which days, whose clock, and how they are told apart", () => {
    expect(wanted("from=2026-03-01&to=2026-03-10&zone=Asia/Kolkata&bucket=hour&split=model")).toEqual({
      preset: null,
      first: day("2026-03-01"),
      last: day("2026-03-10"),
      zone: "Asia/Kolkata",
      bucket: "HOUR",
      split: "model",
    });
  });

  it.each([
    "range=8",
    "range=all",
    "from=2026-03-10&to=2026-03-01",
    "from=2024-03-10&to=2026-03-01",
    "from=2026-02-30&to=2026-03-01",
    "from=0001-01-01&to=0001-01-02",
    "from=x",
    "zone=Mars/Olympus",
    "zone=%2B02:00",
    "bucket=hour",
    "bucket=century",
    "split=x",
  ])("says nothing by %s", (address) => {
    expect(wanted(address)).toEqual(wanted(""));
  });

  it("wants all of a session's life, as far as it is counted", () => {
    expect(wanted("range=all", { earliest: day("2026-11-20") }).first).toEqual(day("2026-11-20"));
    expect(wanted("range=all", { earliest: day("2020-01-01") }).first).toEqual(day("2025-11-23"));
    expect(wanted("range=all", { earliest: day("2026-11-23") }).first).toEqual(now);
  });
});

describe("the moments of days", () => {
  it.each([
    ["Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z", 23],
    ["Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z", 25],
    // Midnight is left out there: the day begins at one o'clock.
    ["America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00.000Z", "2018-11-05T02:00:00.000Z", 23],
    // It comes twice there: the day begins at the first.
    ["America/Havana", "2026-11-01", "2026-11-01T04:00:00.000Z", "2026-11-02T05:00:00.000Z", 25],
    ["Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00.000Z", "2026-10-04T13:00:00.000Z", 23.5],
    ["Asia/Kolkata", "2026-10-04", "2026-10-03T18:30:00.000Z", "2026-10-04T18:30:00.000Z", 24],
  ])("in %s on %s", (zone, on, from, to, hours) => {
    expect(moments({ first: day(on), last: day(on), zone })).toEqual({ from, to });
    expect((Date.parse(to) - Date.parse(from)) / 3_600_000).toBe(hours);
  });

  it("are counted by the calendar", () => {
    expect(length(day("2026-03-28"), day("2026-03-30"))).toBe(3);
    expect(length(day("2026-01-01"), day("2026-12-31"))).toBe(365);
  });
});

it("offers the buckets that a range can be drawn by", () => {
  expect(buckets(day("2026-03-01"), day("2026-03-07"))).toEqual(["HOUR", "DAY"]);
  expect(buckets(day("2026-03-01"), day("2026-03-30"))).toEqual(["DAY", "WEEK"]);
  expect(buckets(day("2026-01-01"), day("2026-12-31"))).toEqual(["DAY", "WEEK", "MONTH"]);
});

it("knows time zones by name alone", () => {
  expect(["UTC", "Europe/Berlin", "America/Argentina/Salta", "Etc/GMT+5"].every(isZone)).toBe(true);
  expect(["", "+02:00", "Mars", "../etc", "Europe/"].some(isZone)).toBe(false);
  expect(zones("Etc/GMT+5")).toEqual(expect.arrayContaining(["UTC", "Europe/Berlin", "Etc/GMT+5"]));
});
