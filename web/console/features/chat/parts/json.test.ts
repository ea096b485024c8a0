import { expect, test } from "vitest";

import { indented } from "./json";

test("JSON gets a line for each value", () => {
  expect(indented('{"a":[1,{"b":"x, {y}: \\"z\\""}],"c":{ },"d":[]}')).toBe(
    '{\n  "a": [\n    1,\n    {\n      "b": "x, {y}: \\"z\\""\n    }\n  ],\n  "c": {},\n  "d": []\n}',
  );
});

test("numbers stay as they are written", () => {
  expect(indented("[12345678901234567890, 1.10]")).toBe("[\n  12345678901234567890,\n  1.10\n]");
});

test.each(["", "plain", "12", '"text"', '{"a": ', "{'a': 1}"])("%j is no JSON to be laid out", (text) => {
  expect(indented(text)).toBeNull();
});
