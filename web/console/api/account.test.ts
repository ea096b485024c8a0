import { beforeEach, expect, test, vi } from "vitest";

import { identification, signIn, signOut } from "./account";

const TOKEN = { kind: "credential", credential: "a.b.c" } as const;

beforeEach(() => {
  signOut();
  localStorage.clear();
  sessionStorage.clear();
});

test("a credential goes as a bearer token, and a name as itself", () => {
  expect(identification()).toEqual({});
  expect(identification(TOKEN)).toEqual({ Authorization: "Bearer a.b.c" });
  expect(identification({ kind: "name", user: "alice@acme" })).toEqual({ "X-Colloquy-User": "alice@acme" });
});

test("an account is kept for the tab, or on the device where that is wanted", () => {
  signIn({ account: TOKEN, owner: "alice@acme", remember: false });
  expect([sessionStorage.getItem("colloquy.account"), localStorage.getItem("colloquy.account")]).toEqual([
    JSON.stringify(TOKEN),
    null,
  ]);

  signIn({ account: TOKEN, owner: "alice@acme", remember: true });
  expect([sessionStorage.getItem("colloquy.account"), localStorage.getItem("colloquy.account")]).toEqual([
    null,
    JSON.stringify(TOKEN),
  ]);
});

test("drafts are there when one comes back, and gone for anybody else", () => {
  signIn({ account: TOKEN, owner: "alice@acme", remember: true });
  localStorage.setItem("colloquy.draft.1", "unsent");
  localStorage.setItem("colloquy.theme", "dark");
  localStorage.setItem("another's", "kept");

  signIn({ account: TOKEN, owner: "alice@acme", remember: true });
  expect(localStorage.getItem("colloquy.draft.1")).toBe("unsent");

  signIn({ account: { kind: "credential", credential: "d.e.f" }, owner: "bob@acme", remember: true });
  expect(localStorage.getItem("colloquy.draft.1")).toBeNull();
  expect(localStorage.getItem("colloquy.theme")).toBe("dark");
  expect(localStorage.getItem("another's")).toBe("kept");
});

test("who signs out leaves nothing", () => {
  signIn({ account: TOKEN, owner: "alice@acme", remember: true });
  sessionStorage.setItem("colloquy.draft.1", "unsent");

  signOut();

  expect([...Object.keys(localStorage), ...Object.keys(sessionStorage)]).toEqual([]);
});

test("what a tab kept of one goes when another has come in another tab", async () => {
  signIn({ account: TOKEN, owner: "alice@acme", remember: true });
  sessionStorage.setItem("colloquy.draft.1", "unsent");
  // What signing in does in the other tab, whose storage of its own is not this one.
  localStorage.setItem("colloquy.owner", "bob@acme");

  vi.resetModules();
  await import("./account");

  expect(sessionStorage.getItem("colloquy.draft.1")).toBeNull();
});

test("an account of the tab's own is not touched by who comes in another", async () => {
  signIn({ account: TOKEN, owner: "alice@acme", remember: false });
  sessionStorage.setItem("colloquy.draft.1", "unsent");
  localStorage.setItem("colloquy.owner", "bob@acme");

  vi.resetModules();
  const { account } = await import("./account");

  expect(account()).toEqual(TOKEN);
  expect(sessionStorage.getItem("colloquy.draft.1")).toBe("unsent");
});
