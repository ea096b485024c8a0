import { expect, test } from "vitest";

import { ago } from "./Moment";
import { dollars, duration, short, whole } from "./numbers";

test("numbers are written exactly, also those that are too large for JavaScript's", () => {
  expect(whole(1234567)).toBe("1,234,567");
  expect(whole("9007199254740993")).toBe("9,007,199,254,740,993");
  expect(short("12345")).toBe("12.3K");
});

test("small amounts show two digits of what they are", () => {
  expect(dollars("12.5")).toBe("$12.50");
  expect(dollars("0")).toBe("$0.00");
  expect(dollars("0.000123")).toBe("$0.00012");
});

test("lengths of time have the unit that fits", () => {
  expect(duration(339.6)).toBe("340 ms");
  expect(duration(2_100)).toBe("2.1 s");
  expect(duration(200_000)).toBe("3 min 20 s");
  expect(duration(239_700)).toBe("4 min 0 s");
});

test("moments are told as people tell them, and by their day after a week", () => {
  const now = Date.parse("2030-06-15T12:00:00Z");
  expect(ago("2030-06-15T11:59:30Z", now)).toBe("just now");
  expect(ago("2030-06-15T11:58:00Z", now)).toBe("2 minutes ago");
  expect(ago("2030-06-15T15:30:00Z", now)).toBe("in 3 hours");
  expect(ago("2030-06-14T10:00:00Z", now)).toBe("yesterday");
  expect(ago("2030-06-01T12:00:00Z", now)).toBe("Jun 1, 2030");
});
