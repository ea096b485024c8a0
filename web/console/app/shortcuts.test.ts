import { afterEach, beforeEach, expect, test } from "vitest";

import { addShortcut, listenToKeys, step } from "./shortcuts";

let ran: string[] = [];
const ends: (() => void)[] = [];
const has = (keys: string, label = keys) => {
  const end = addShortcut({ keys, label, run: () => ran.push(label) });
  ends.push(end);
  return end;
};

const press = (key: string, target: EventTarget = document.body, init: KeyboardEventInit = {}) => {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...init });
  target.dispatchEvent(event);
  return event;
};

const put = <Name extends keyof HTMLElementTagNameMap>(name: Name, role?: string): HTMLElementTagNameMap[Name] => {
  const element = document.createElement(name);
  if (role) {
    element.setAttribute("role", role);
  }
  document.body.append(element);
  return element;
};

beforeEach(() => {
  ran = [];
  ends.push(listenToKeys());
});

afterEach(() => {
  ends.splice(0).forEach((end) => end());
  document.body.replaceChildren();
});

test("keys one after the other are one shortcut", () => {
  has("g c");
  has("c");

  press("g");
  press("c");

  expect(ran).toEqual(["g c"]);
});

test("a sequence that leads nowhere ends, and its last key counts by itself", () => {
  has("g c");
  has("n");

  press("g");
  press("n");
  press("g");
  press("x");
  press("c");

  expect(ran).toEqual(["n"]);
});

test("what was added last counts, until it is taken away", () => {
  has("n", "the shell's");
  const end = has("n", "the page's");

  press("n");
  end();
  press("n");

  expect(ran).toEqual(["the page's", "the shell's"]);
});

test("nobody is disturbed who types, chooses, or means the browser", () => {
  has("n");

  press("n", put("input"));
  press("n", put("textarea"));
  press("n", put("div", "textbox"));
  press("n", put("div", "dialog"));
  press("n", document.body, { ctrlKey: true });
  press("n", document.body, { metaKey: true });
  press("n", document.body, { repeat: true });

  expect(ran).toEqual([]);
});

test("Escape leaves a field", () => {
  const field = put("input");
  field.focus();

  press("Escape", field);

  expect(document.activeElement).toBe(document.body);
});

test("a key that did something does nothing else", () => {
  has("/");

  expect(press("/").defaultPrevented).toBe(true);
  expect(press("x").defaultPrevented).toBe(false);
});

test("steps of a sequence", () => {
  const known = [{ keys: "g c", label: "", run: () => undefined }];

  expect(step("", "g", known)).toEqual({ begun: "g" });
  expect(step("g", "c", known)).toEqual({ run: known[0], begun: "" });
  expect(step("g", "g", known)).toEqual({ begun: "g" });
  expect(step("g", "x", known)).toEqual({ begun: "" });
});
