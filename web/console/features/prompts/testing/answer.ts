/** An answer as it grows: see docs/streaming.md for what the events mean. */
import type { PromptAnswerSubscription } from "./documents.generated";

export type AnswerEvent = PromptAnswerSubscription["messageCompletion"];
export type Ended = Extract<AnswerEvent, { run: unknown }>["run"];

export interface Answer {
  text: string;
  /** Whether the model waits for a tool that it asked for. */
  waits: boolean;
  /** How it ended; null while it is written. */
  ended: Ended | null;
}

export const NOTHING_YET: Answer = { text: "", waits: false, ended: null };

/** The answer after an event. */
export function taken(answer: Answer, event: AnswerEvent): Answer {
  switch (event.__typename) {
    case "CompletionSnapshot":
      return { ...answer, text: event.text };
    case "CompletionDelta":
      return { ...answer, text: answer.text + event.text };
    case "CompletionToolCall":
      return { ...answer, waits: true };
    case "CompletionTurn":
      return { ...answer, text: "", waits: false };
    case "CompletionFinished":
    case "CompletionFailed":
    case "CompletionCancelled":
    case "CompletionInterrupted":
      return { ...answer, waits: false, ended: event.run };
  }
}
