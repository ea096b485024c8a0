import type { Step } from "./path";

/** Where the first step stands when a conversation is opened: there is room for older ones before it. */
const FIRST = 1_000_000;

/** The steps that are shown, and the number of the first: what stays keeps its number when older ones come before it. */
export interface Places {
  steps: readonly Step[];
  first: number;
}

export function placesOf(steps: readonly Step[]): Places {
  return { steps, first: FIRST };
}

/** The places of other steps: those that both have stay where they are. */
export function moved({ steps: before, first }: Places, steps: readonly Step[]): Places {
  const [head] = before;
  const grown = head === undefined ? -1 : steps.findIndex(({ id }) => id === head.id);
  if (grown >= 0) {
    return { steps, first: first - grown };
  }
  const [now] = steps;
  const shrunk = now === undefined ? -1 : before.findIndex(({ id }) => id === now.id);
  return { steps, first: shrunk >= 0 ? first + shrunk : FIRST };
}
