import { expect, test } from "vitest";

import { changed } from "./address";

test("a change leaves all else as it is", () => {
  const address = new URLSearchParams("q=train&status=PAUSED&tag=a%26b&status=NONE");

  expect(changed(address, { status: ["ACTIVE", "PAUSED"], order: "NAME" }).toString()).toBe(
    "q=train&tag=a%26b&status=ACTIVE&status=PAUSED&order=NAME",
  );
  expect(address.get("status")).toBe("PAUSED");
});

test("what is empty is taken away", () => {
  const address = new URLSearchParams("a=1&b=2&c=3&d=4");

  expect(changed(address, { a: "", b: null, c: [] }).toString()).toBe("d=4");
});
