import { describe, expect, it } from "vitest";

import { extended, joined, type Path, placeOf, preceded, shown, type Step } from "./path";

const step = (id: string, parentId: string | null = null): Step => ({ id, parentId, answers: null, calls: [] });

const path = (ids: string, older: string | null = null): Path => ({
  steps: Array.from(ids, (id, place) => step(id, ids[place - 1] ?? null)),
  older,
});

const ids = (found: Path | null) => found?.steps.map(({ id }) => id).join("");

describe("a path", () => {
  it("keeps what was known before the newest page", () => {
    const found = joined(path("abcde", "z"), path("cdefg", "b"));

    expect(ids(found)).toBe("abcdefg");
    expect(found?.older).toBe("z");
  });

  it("ends where another branch does", () => {
    expect(ids(joined(path("abcde"), path("cx", "b")))).toBe("abcx");
  });

  it("is not joined to what it has nothing in common with", () => {
    expect(joined(path("abc"), path("xyz", "w"))).toBeNull();
  });

  it("is the newest page where that begins with the first message", () => {
    expect(ids(joined(path("abc"), path("xy")))).toBe("xy");
    expect(ids(joined(path("abc"), path("")))).toBe("");
  });

  it("grows at its beginning by older pages", () => {
    const found = preceded(path("de", "d"), path("abc"));

    expect(ids(found)).toBe("abcde");
    expect(found.older).toBeNull();
  });

  it("goes on behind what new messages answer", () => {
    expect(ids(extended(path("abc", "z"), [step("d", "c"), step("e", "d")]))).toBe("abcde");
    expect(ids(extended(path("abc"), [step("x", "a")]))).toBe("ax");
    expect(ids(extended(path("abc"), [step("x", null)]))).toBe("x");
    expect(extended(path("abc"), [step("x", "elsewhere")])).toBeNull();
  });

  it("shows answers of tools with their calls", () => {
    const asking = { ...step("a"), calls: ["1"] };
    const known = { ...step("b"), answers: "1" };
    const stray = { ...step("c"), answers: "2" };

    expect(shown([asking, known, stray]).map(({ id }) => id)).toEqual(["a", "c"]);
  });

  it("shows a tool's answer where its call is", () => {
    const call = { ...step("b", "a"), calls: ["call-1"] };
    const answer = { ...step("c", "b"), answers: "call-1" };
    const found = { steps: [step("a"), call, answer, step("d", "c")], older: null };
    const places = ["a", "b", "c", "d", "e"].map((id) => placeOf(id, found, shown(found.steps)));

    expect(places).toEqual([0, 1, 1, 2, -1]);
  });
});
