import { useEffect } from "react";

import { follow } from "../../../api/socket";
import { SessionAnswerDocument, type SessionAnswerSubscription } from "./documents.generated";
import { bumpSession } from "./lists";

type Happening = SessionAnswerSubscription["messageCompletion"]["__typename"];

/** What does not change how a session stands. */
const UNREMARKABLE: readonly Happening[] = ["CompletionSnapshot", "CompletionDelta"];

/** While an answer is being written, have its session seen as it is at each turn, and at the end. */
export function useAnswerEnd(sessionId: string, runId: string | undefined): void {
  useEffect(() => {
    if (runId === undefined) {
      return;
    }
    return follow(
      SessionAnswerDocument,
      { runId },
      {
        next({ messageCompletion }) {
          if (!UNREMARKABLE.includes(messageCompletion.__typename)) {
            bumpSession(sessionId);
          }
          return messageCompletion.seq;
        },
      },
    );
  }, [sessionId, runId]);
}
