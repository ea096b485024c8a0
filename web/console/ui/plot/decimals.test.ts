// @vitest-environment node
import { expect, it } from "vitest";

import { sum } from "./decimals";

it("adds decimals exactly", () => {
  expect(sum(["0.1", "0.2"])).toBe("0.3");
  expect(sum(["9007199254740993", "1", "0.0000000001"])).toBe("9007199254740994.0000000001");
  expect(sum(["-0.5", "0.25"])).toBe("-0.25");
  expect(sum(["3", "4"])).toBe("7");
});

it("leaves out what is not known, and knows nothing of nothing", () => {
  expect(sum([null, "1.5"])).toBe("1.5");
  expect(sum([null, null])).toBeNull();
  expect(sum([])).toBeNull();
});
