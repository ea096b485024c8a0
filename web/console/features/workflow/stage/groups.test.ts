import { describe, expect, it } from "vitest";

import { type Attempt, chosen, groupsOf } from "./groups";

const common = {
  status: "APPROVED",
  model: "local:echo",
  createdAt: "2026-01-01T00:00:00Z",
  createdBy: "alice",
} as const;

function planning(attempt: number): Attempt {
  return { ...common, __typename: "ProjectPlanning", id: `planning ${attempt}`, kind: "PROJECT_PLANNING", attempt };
}

function prompt(list: string, storyIndex: number, attempt: number): Attempt {
  return {
    ...common,
    __typename: "PromptGeneration",
    id: `${list} ${storyIndex} ${attempt}`,
    kind: "PROMPT_GENERATION",
    attempt,
    storyIndex,
    storyGeneration: { __typename: "StoryGeneration", id: list },
    story: { __typename: "Story", id: `${list}:${storyIndex}`, title: `Story ${storyIndex}` },
  };
}

const story = (index: number) =>
  ({ __typename: "Story", id: `new:${index}`, index, title: `Story ${index}`, priority: "HIGH", estimate: 1 }) as const;

describe("groupsOf", () => {
  it("has all attempts at a stage in one, the newest first", () => {
    const groups = groupsOf([planning(1), planning(2)], null);

    expect(groups).toEqual([
      { key: "PROJECT_PLANNING", story: null, isCurrent: true, attempts: [planning(2), planning(1)] },
    ]);
  });

  it("has one for each story of the approved list, then those of earlier lists", () => {
    const groups = groupsOf([prompt("old", 0, 1), prompt("new", 1, 1), prompt("new", 1, 2)], {
      listId: "new",
      stories: [story(0), story(1)],
    });

    expect(
      groups.map(({ story, isCurrent, attempts }) => [story?.index, isCurrent, attempts.map(({ id }) => id)]),
    ).toEqual([
      [0, true, []],
      [1, true, ["new 1 2", "new 1 1"]],
      [0, false, ["old 0 1"]],
    ]);
  });
});

describe("chosen", () => {
  const groups = groupsOf([prompt("new", 1, 1), prompt("new", 1, 2)], { listId: "new", stories: [story(0), story(1)] });

  it("is the newest attempt of the first, where nothing is asked for", () => {
    expect(chosen(groups, { group: null, attempt: null })).toEqual({ group: groups[0], attempt: null });
    expect(chosen(groups, { group: "new:1", attempt: null }).attempt?.id).toBe("new 1 2");
  });

  it("is the attempt that is asked for, in its group", () => {
    const { group, attempt } = chosen(groups, { group: "new:0", attempt: "new 1 1" });

    expect([group?.key, attempt?.id]).toEqual(["new:1", "new 1 1"]);
  });

  it("is nothing where there is nothing", () => {
    expect(chosen([], { group: "gone", attempt: "gone" })).toEqual({ group: null, attempt: null });
  });
});
