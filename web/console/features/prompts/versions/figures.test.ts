import { expect, test } from "vitest";

import type { PromptFiguresFragment } from "./documents.generated";
import { others, price, rate, took } from "./figures";

const FIGURES: PromptFiguresFragment = {
  __typename: "PromptExecutionStatistics",
  count: 9,
  completed: 5,
  failed: 2,
  cancelled: 0,
  interrupted: 1,
  running: 1,
  successRate: 0.625,
  p50Ms: 1_200,
  p95Ms: null,
  totalTokens: "12345678901234567890",
  cost: "0.0042",
  costUnknown: 2,
};

test("figures are told in few words", () => {
  expect(rate(FIGURES.successRate)).toBe("62.5%");
  expect(took(FIGURES.p50Ms)).toBe("1.2 s");
  expect(price(FIGURES)).toBe("$0.0042 (2 without a known price)");
  expect(others(FIGURES)).toBe("2 failed, 1 interrupted, 1 running");
});

test("where there is nothing to reckon with, nothing is made up", () => {
  expect(rate(null)).toBe("–");
  expect(took(null)).toBe("–");
  expect(price({ cost: null, costUnknown: 0 })).toBe("–");
  expect(price({ cost: "0", costUnknown: 0 })).toBe("$0.00");
});
