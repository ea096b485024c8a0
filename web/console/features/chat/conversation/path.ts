/** A message on the way from the first one to the active leaf. */
export interface Step {
  id: string;
  parentId: string | null;
  /** Of a tool's message: the call that it answers. */
  answers: string | null;
  /** The calls that it makes. */
  calls: readonly string[];
}

/** The end of the active path, as much of it as was fetched. */
export interface Path {
  steps: readonly Step[];
  /** Where older ones are to be had; null where the first message is there. */
  older: string | null;
}

export const NO_PATH: Path = { steps: [], older: null };

/**
 * What is known, with its end as it is now. The way to a message never changes, so that what led to the first of the
 * newest is still right; null where that one is not known, hence what lies between is missing.
 */
export function joined(known: Path, newest: Path): Path | null {
  const first = newest.steps[0];
  if (newest.older === null || first === undefined) {
    return newest;
  }
  const place = known.steps.findIndex(({ id }) => id === first.id);
  return place < 0
    ? null
    : { steps: [...known.steps.slice(0, place), ...newest.steps], older: place === 0 ? newest.older : known.older };
}

/** A path with the page before it. */
export function preceded(known: Path, page: Path): Path {
  return { steps: [...page.steps, ...known.steps], older: page.older };
}

/** The path that goes on with these behind what the first of them answers; null where that is not on it. */
export function extended(known: Path, steps: readonly Step[]): Path | null {
  const [first] = steps;
  if (first === undefined) {
    return known;
  }
  if (first.parentId === null) {
    return { steps, older: null };
  }
  const place = known.steps.findIndex(({ id }) => id === first.parentId);
  return place < 0 ? null : { steps: [...known.steps.slice(0, place + 1), ...steps], older: known.older };
}

/** What is shown as a message of its own: a tool's answer is shown with the call. */
export function shown(steps: readonly Step[]): readonly Step[] {
  const calls = new Set(steps.flatMap(({ calls }) => calls));
  return steps.filter(({ answers }) => answers === null || !calls.has(answers));
}

/** Where among those that are shown a message is to be seen, a tool's answer with its call; -1 where it is not. */
export function placeOf(messageId: string, path: Path, steps: readonly Step[]): number {
  const answers = path.steps.find(({ id }) => id === messageId)?.answers;
  return steps.findIndex(({ id, calls }) => id === messageId || (answers != null && calls.includes(answers)));
}
