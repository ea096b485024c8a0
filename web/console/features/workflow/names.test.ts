import { expect, it } from "vitest";

import { promptFile, slug } from "./names";

it("calls files by letters, digits and hyphens", () => {
  expect(promptFile({ index: 0, title: "Pay at the till!" })).toBe("01-pay-at-the-till.md");
  expect(promptFile({ index: 11, title: "Größe: übersehen" })).toBe("12-gro-e-ubersehen.md");
  expect(slug("…")).toBe("untitled");
});
