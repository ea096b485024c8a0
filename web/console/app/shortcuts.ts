/**
 * Keys that do something on a page, for whoever does not type at the moment. A feature adds its own while it is shown:
 *
 *     useShortcut("n", "New conversation", begin);
 */
import { useEffect, useEffectEvent, useSyncExternalStore } from "react";

export interface Shortcut {
  /** One key, or several one after the other with spaces between: `g c`. As `KeyboardEvent.key` names them. */
  keys: string;
  /** What it does, as the sheet of shortcuts says it. */
  label: string;
  run: () => void;
}

/** Within which the second key of two comes. */
const SEQUENCE_MS = 1_000;

/** Where keys are for something else: typing, choosing. */
const TYPING = "input, textarea, select, [contenteditable]:not([contenteditable='false']), [role='textbox']";
const CHOOSING = "[role='dialog'], [role='alertdialog'], [role='menu'], [role='listbox']";

let added: readonly Shortcut[] = [];
const listeners = new Set<() => void>();

function change(next: readonly Shortcut[]): void {
  added = next;
  for (const listener of listeners) {
    listener();
  }
}

/** Add one; of several with the same keys the one that was added last counts. The answer takes it away. */
export function addShortcut(shortcut: Shortcut): () => void {
  change([...added.filter((known) => known !== shortcut), shortcut]);
  return () => change(added.filter((known) => known !== shortcut));
}

/** Have keys do something while the component is shown. */
export function useShortcut(keys: string, label: string, run: () => void): void {
  const latest = useEffectEvent(run);
  useEffect(() => addShortcut({ keys, label, run: () => latest() }), [keys, label]);
}

/** All that there are at the moment, each of its keys once. */
export function useShortcuts(): readonly Shortcut[] {
  const all = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => added,
  );
  return [...new Map(all.map((shortcut) => [shortcut.keys, shortcut])).values()];
}

/** What comes of a key behind those of a sequence that has begun: a shortcut, a longer sequence, or neither. */
export function step(begun: string, key: string, known: readonly Shortcut[]): { run?: Shortcut; begun: string } {
  for (const keys of begun ? [`${begun} ${key}`, key] : [key]) {
    const run = known.findLast((shortcut) => shortcut.keys === keys);
    if (run) {
      return { run, begun: "" };
    }
    if (known.some((shortcut) => shortcut.keys.startsWith(`${keys} `))) {
      return { begun: keys };
    }
  }
  return { begun: "" };
}

/** Listen to keys; the answer ends that. */
export function listenToKeys(): () => void {
  let begun = "";
  let forgetting: ReturnType<typeof setTimeout> | undefined;

  const heard = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest(CHOOSING)) {
      return;
    }
    if (target.closest(TYPING)) {
      // Out of the field: from there on keys are shortcuts again.
      if (event.key === "Escape" && target instanceof HTMLElement) {
        target.blur();
      }
      return;
    }
    // A modifier alone is on its way to another key.
    if (event.repeat || event.key === "Shift") {
      return;
    }
    clearTimeout(forgetting);
    const next = step(begun, event.key, added);
    begun = next.begun;
    forgetting = setTimeout(() => (begun = ""), SEQUENCE_MS);
    if (next.run) {
      event.preventDefault();
      next.run.run();
    }
  };

  addEventListener("keydown", heard);
  return () => {
    clearTimeout(forgetting);
    removeEventListener("keydown", heard);
  };
}
