import type { WorkflowAttemptLineFragment, WorkflowStoryFragment } from "./documents.generated";

export type Attempt = WorkflowAttemptLineFragment;

/** Attempts at the same thing: at a stage, or at the prompt for one story. */
export interface Group {
  key: string;
  /** Of prompts: the story. */
  story: { index: number; title: string } | null;
  /** Whether it is for the list of stories that is approved now. */
  isCurrent: boolean;
  /** The newest first. */
  attempts: readonly Attempt[];
}

/** The stories of the approved list, by the id of which prompts know it. */
export interface Stories {
  listId: string;
  stories: readonly WorkflowStoryFragment[];
}

/** The attempts at one stage, oldest first, by what they are attempts at; stories that have none are there as well. */
export function groupsOf(attempts: readonly Attempt[], approved: Stories | null): Group[] {
  const groups = new Map<string, Group & { attempts: Attempt[] }>();
  for (const { index, title } of approved?.stories ?? []) {
    const key = keyOf(approved?.listId, index);
    groups.set(key, { key, story: { index, title }, isCurrent: true, attempts: [] });
  }
  for (const attempt of attempts) {
    const isPrompt = attempt.__typename === "PromptGeneration";
    const key = isPrompt ? keyOf(attempt.storyGeneration?.id, attempt.storyIndex) : attempt.kind;
    const group = groups.get(key) ?? {
      key,
      story: isPrompt
        ? { index: attempt.storyIndex, title: attempt.story?.title ?? "A story of an earlier list" }
        : null,
      isCurrent: !isPrompt,
      attempts: [],
    };
    group.attempts.unshift(attempt);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function keyOf(listId: string | undefined, index: number): string {
  return `${listId ?? "none"}:${index}`;
}

/** What the address of the page asks for, or what is most likely looked for: the first group's newest attempt. */
export function chosen(
  groups: readonly Group[],
  asked: { group: string | null; attempt: string | null },
): { group: Group | null; attempt: Attempt | null } {
  const byAttempt = groups.find(({ attempts }) => attempts.some(({ id }) => id === asked.attempt));
  const group = byAttempt ?? groups.find(({ key }) => key === asked.group) ?? groups[0] ?? null;
  const attempt = group?.attempts.find(({ id }) => id === asked.attempt) ?? group?.attempts[0] ?? null;
  return { group, attempt };
}
