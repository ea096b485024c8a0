import { expect, test } from "vitest";

import { named, pasted } from "./credentials";

test("what was pasted is taken with what stood around it", () => {
  const expected = { kind: "credential", credential: "ey.J.9" };
  expect(pasted("ey.J.9")).toEqual(expected);
  expect(pasted("  Bearer ey.J.9\n")).toEqual(expected);
});

test.each(["", "  ", "two words", "schlüssel", "Bearer "])("%j is no token", (text) => {
  expect(pasted(text)).toBeNull();
});

test("names are told as a header can hold them", () => {
  expect(named(" alice@acme ")).toEqual({ kind: "name", user: "alice@acme" });
  expect(named("müller")).toEqual({ kind: "name", user: "m%C3%BCller" });
  expect(named("alice%40example.com@acme")).toEqual({ kind: "name", user: "alice%40example.com@acme" });
  expect(named(" ")).toBeNull();
});
