import { useEffect, useState } from "react";
import { useLocation } from "react-router";

import type { ConversationStore } from "./ConversationStore";

/** In a page's address: the message to be shown. */
export const MESSAGE = "message";

export interface Sought {
  /** The message that the page's address names. */
  id: string;
  /** Grows with each time that it is to be brought into sight. */
  turn: number;
  /** `elsewhere`: it is not on the active path. `unknown`: nobody could say. */
  place: "seeking" | "here" | "elsewhere" | "unknown";
  /** Look for it again, on the path as it is now. */
  again: () => void;
}

const NOT_SOUGHT = { of: null, turn: 0, place: "seeking" } as const;

/** The message that the page's address names, fetched with all that follows it; null where it names none. */
export function useSought(store: ConversationStore): Sought | null {
  const { search, key } = useLocation();
  const id = new URLSearchParams(search).get(MESSAGE);
  const [standing, setStanding] = useState<Pick<Sought, "turn" | "place"> & { of: string | null }>(NOT_SOUGHT);
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    if (id === null) {
      return;
    }
    let isCurrent = true;
    void store.reach(id).then((reached) => {
      if (isCurrent) {
        const place = reached === null ? "unknown" : reached ? "here" : "elsewhere";
        setStanding((before) => ({ of: id, turn: before.turn + 1, place }));
      }
    });
    return () => {
      isCurrent = false;
    };
    // The key changes with each link that is followed, also to where one is already.
  }, [store, id, key, attempt]);

  // What is known of another message says nothing of this one.
  const place = standing.of === id ? standing.place : "seeking";
  return id === null ? null : { id, turn: standing.turn, place, again: () => setAttempt((count) => count + 1) };
}
