import { expect, test } from "vitest";

import { destination } from "./destination";

test.each(["/prompts", "/chat/abc?q=1#m2", "/"])("%s is a page of the console", (to) => {
  expect(destination(to)).toBe(to);
});

test.each([
  null,
  "",
  "prompts",
  "//evil.example/chat",
  "/\\evil.example",
  "/.//evil.example",
  "/\t/evil.example",
  "https://evil.example/chat",
  "javascript:alert(1)",
  "/sign-in?to=/sign-in",
])("%s leads to the first page", (to) => {
  expect(destination(to)).toBe("/chat");
});
