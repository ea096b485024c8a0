import { expect, test } from "vitest";

import { expiresAt, standing } from "./expiry";

const NOW = Date.parse("2030-06-15T12:00:00Z");

test("a key lasts as long as was chosen", () => {
  expect(expiresAt("30", "", NOW)).toBe("2030-07-15T12:00:00.000Z");
  expect(expiresAt("ever", "", NOW)).toBeNull();
});

test("the day until which a key lasts is a whole one", () => {
  expect(expiresAt("day", "2030-06-20", NOW)).toBe(new Date("2030-06-21T00:00").toISOString());
});

test("a key that was revoked stays so, and one expires at its moment", () => {
  expect(standing({}, NOW)).toBe("active");
  expect(standing({ expiresAt: "2030-06-15T12:00:01Z" }, NOW)).toBe("active");
  expect(standing({ expiresAt: "2030-06-15T12:00:00Z" }, NOW)).toBe("expired");
  expect(standing({ expiresAt: "2030-06-01T00:00:00Z", revokedAt: "2030-05-01T00:00:00Z" }, NOW)).toBe("revoked");
});
