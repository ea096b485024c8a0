import type { SubscriptionRefused } from "../../../api/socket";
import { type Answer, type CompletionEvent, taken, UNHEARD } from "./completion";

export interface Heard {
  /** An event; its position is returned. */
  next: (event: CompletionEvent) => number;
  refused: (error: SubscriptionRefused) => void;
}

/** Follows the events of a run behind a position; what is returned ends that. */
export type Listen = (runId: string, after: number | null, heard: Heard) => () => void;

/** What an answer ended with. */
export type Ending = Extract<CompletionEvent, { run: unknown }>;

/** An answer to look at while it is written. */
export interface Followed {
  get: () => Answer;
  /** Call back at each change, for as long as somebody looks; the answer ends that. */
  subscribe: (listener: () => void) => () => void;
}

/**
 * The answers that somebody looks at, each followed once. What was heard of one is kept after nobody looks any more, so
 * that it goes on from there; of one that has ended, `end` is told first, and then it is left to what is stored.
 */
export function makeAnswers(listen: Listen, end: (ending: Ending) => void): (runId: string) => Followed {
  const known = new Map<string, Followed>();
  return (runId) => {
    const found = known.get(runId) ?? followed(runId, listen, end, () => known.delete(runId));
    known.set(runId, found);
    return found;
  };
}

function followed(runId: string, listen: Listen, end: (ending: Ending) => void, forget: () => void): Followed {
  const listeners = new Set<() => void>();
  let answer = UNHEARD;
  let stop: (() => void) | null = null;

  const become = (next: Answer) => {
    if (next !== answer) {
      answer = next;
      for (const listener of [...listeners]) {
        listener();
      }
    }
  };

  const start = () => {
    stop = listen(runId, answer.seq, {
      next(event) {
        const next = taken(answer, event);
        if ("run" in event && next.state === "ended" && answer.state !== "ended") {
          end(event);
        }
        become(next);
        return event.seq;
      },
      refused(error) {
        const behind = error.errors.some(({ extensions }) => extensions?.["code"] === "INVALID_CURSOR");
        if (behind && answer.seq !== null) {
          // The position is not of this run, whatever came between: all of it is asked for.
          answer = UNHEARD;
          start();
        } else {
          become({ ...answer, state: "refused" });
        }
      },
    });
  };

  return {
    get: () => answer,
    subscribe(listener) {
      listeners.add(listener);
      if (stop === null && answer.state !== "ended") {
        start();
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) {
          stop?.();
          stop = null;
          if (answer.state !== "following") {
            forget();
          }
        }
      };
    },
  };
}
