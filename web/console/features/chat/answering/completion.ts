import type { AnswerCompletionSubscription } from "./documents.generated";

export type CompletionEvent = AnswerCompletionSubscription["messageCompletion"];

/** An answer as far as it was heard. */
export interface Answer {
  /** The position of the last event that was taken. */
  seq: number | null;
  /** The message that the text is of: of several turns, the one that the run is at. */
  messageId: string | null;
  text: string;
  state: "following" | "ended" | "refused";
}

/** Nothing was heard yet. */
export const UNHEARD: Answer = { seq: null, messageId: null, text: "", state: "following" };

/** The answer after an event: what was heard before, once more, changes nothing. */
export function taken(answer: Answer, event: CompletionEvent): Answer {
  const { seq } = event;
  const heard =
    answer.seq !== null && (event.__typename === "CompletionSnapshot" ? seq < answer.seq : seq <= answer.seq);
  if (heard || answer.state === "ended") {
    return answer;
  }
  switch (event.__typename) {
    case "CompletionSnapshot":
      return { ...answer, seq, messageId: event.message?.id ?? answer.messageId, text: event.text };
    case "CompletionDelta":
      return { ...answer, seq, text: answer.text + event.text };
    case "CompletionTurn":
      return { ...answer, seq, messageId: event.message?.id ?? null, text: "" };
    case "CompletionFinished":
    case "CompletionFailed":
    case "CompletionCancelled":
    case "CompletionInterrupted":
      return {
        seq,
        messageId: event.message?.id ?? answer.messageId,
        text: event.message?.content ?? answer.text,
        state: "ended",
      };
    default:
      // A call of a tool, or a kind of event that came with a later release.
      return { ...answer, seq };
  }
}
