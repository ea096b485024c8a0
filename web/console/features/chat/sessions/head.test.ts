import { expect, test } from "vitest";

import { withHead } from "./head";

test("what changed comes first, and what was behind stays", () => {
  expect(withHead(["a", "b", "c", "d", "e"], ["x", "c", "a"], false)).toEqual(["x", "c", "a", "d", "e"]);
});

test("what stood before the end of the page and is not in it is gone", () => {
  expect(withHead(["a", "b", "c", "d"], ["a", "c"], false)).toEqual(["a", "c", "d"]);
});

test("a page that is all there is is the list", () => {
  expect(withHead(["a", "b", "c"], ["b"], true)).toEqual(["b"]);
});

test("a page that shares nothing cannot be put together with it", () => {
  expect(withHead(["a", "b"], ["x", "y"], false)).toBeNull();
});
