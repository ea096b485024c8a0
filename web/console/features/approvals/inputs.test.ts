import { describe, expect, it } from "vitest";

import { pretty, remaining } from "./inputs";

describe("pretty", () => {
  it("gives each member a line", () => {
    expect(pretty('{"to": "Porto", "seats": [1, 2], "none": {}, "empty": []}')).toBe(
      '{\n  "to": "Porto",\n  "seats": [\n    1,\n    2\n  ],\n  "none": {},\n  "empty": []\n}',
    );
  });

  it("changes no digit, no text and no key", () => {
    expect(pretty('{"id":12345678901234567890,"a":"x, {y}: \\"z\\"","a":1e2}')).toBe(
      '{\n  "id": 12345678901234567890,\n  "a": "x, {y}: \\"z\\"",\n  "a": 1e2\n}',
    );
  });

  it("leaves alone what is no JSON", () => {
    expect(pretty("rm  -rf {a,b}")).toBe("rm  -rf {a,b}");
  });
});

describe("remaining", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");

  it.each([
    ["2026-01-01T00:00:42Z", "42 s"],
    ["2026-01-01T00:02:05Z", "2 min 5 s"],
    ["2026-01-01T00:03:00Z", "3 min"],
    ["2026-01-01T03:05:59Z", "3 h 5 min"],
    ["2026-01-07T02:00:00Z", "6 d 2 h"],
    ["2026-01-01T00:00:00Z", null],
    ["2025-12-31T00:00:00Z", null],
  ])("says of %s: %s", (until, said) => {
    expect(remaining(until, now)).toBe(said);
  });
});
