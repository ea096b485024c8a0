import { expect, test } from "vitest";

import { split } from "./blocks";
import { isReadable } from "./readable";

test.each(["> ".repeat(40_000), ">".repeat(50), `a\n${"- ".repeat(50)}a`, "[a]".repeat(15_000), "a".repeat(50_001)])(
  "what takes too long is not read",
  (text) => {
    expect(isReadable(text)).toBe(false);
  },
);

test("what people write is", () => {
  const text = "> a quote of\n> > a quote\n\n- a [link](https://example.org)\n  - below\n\n".repeat(500);

  expect(isReadable(text)).toBe(true);
  expect(split(text).blocks.length).toBeGreaterThan(900);
});
