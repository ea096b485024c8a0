import { useCallback, useSyncExternalStore } from "react";

import type { SendMessageInput } from "./documents.generated";

/** What a person is about to say, and whom they ask. */
export interface Draft {
  text: string;
  /** Null for the session's own, or the server's where it has none. */
  model: string | null;
  /** Tools of the server that are offered, by name. */
  tools: readonly string[];
  /** Whether each call of a tool awaits the person's approval. */
  approving: boolean;
  /** What was sent and not answered yet: it is sent once more as it was, under the same key. */
  attempt: Attempt | null;
}

export interface Attempt {
  /** What the person chose of it: anything else is another attempt. */
  choice: string;
  input: SendMessageInput;
}

const EMPTY: Draft = { text: "", model: null, tools: [], approving: true, attempt: null };

/** Whoever signs in finds nothing under such names that is not theirs (`api/account.ts`). */
const PREFIX = "colloquy.draft.";

/** Of a conversation that is not begun. */
const NEW = "new";

const known = new Map<string, Draft>();
const listeners = new Set<() => void>();

/** The draft of a session, kept for as long as the tab is open; null for a session that is to begin. */
export function draftOf(sessionId: string | null): Draft {
  const name = sessionId ?? NEW;
  const draft = known.get(name) ?? read(name);
  known.set(name, draft);
  return draft;
}

/** Change it. */
export function changeDraft(sessionId: string | null, change: Partial<Draft>): void {
  const name = sessionId ?? NEW;
  const draft = { ...draftOf(sessionId), ...change };
  known.set(name, draft);
  try {
    sessionStorage.setItem(PREFIX + name, JSON.stringify(draft));
  } catch {
    // The browser keeps no more: until the page is left, it is known here.
  }
  tell();
}

/** The draft of a session, and what changes it. */
export function useDraft(sessionId: string | null): [Draft, (change: Partial<Draft>) => void] {
  const draft = useSyncExternalStore(subscribe, () => draftOf(sessionId));
  return [draft, useCallback((change) => changeDraft(sessionId, change), [sessionId])];
}

function read(name: string): Draft {
  try {
    return { ...EMPTY, ...(JSON.parse(sessionStorage.getItem(PREFIX + name) ?? "{}") as Partial<Draft>) };
  } catch {
    return EMPTY;
  }
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(): void {
  for (const listener of [...listeners]) {
    listener();
  }
}
