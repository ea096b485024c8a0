import { useEffect, useReducer, useState } from "react";

import { follow, type SubscriptionRefused } from "../../../api/socket";
import { type Answer, NOTHING_YET, taken } from "./answer";
import { PromptAnswerDocument } from "./documents.generated";

/** The answer of a run while it is written; `refused` where it cannot be followed. A component follows one run. */
export function useAnswer(runId: string): { answer: Answer; refused: SubscriptionRefused | null } {
  const [answer, take] = useReducer(taken, NOTHING_YET);
  const [refused, setRefused] = useState<SubscriptionRefused | null>(null);
  useEffect(
    () =>
      follow(
        PromptAnswerDocument,
        { runId },
        {
          next({ messageCompletion }) {
            take(messageCompletion);
            return messageCompletion.seq;
          },
          refused: setRefused,
        },
      ),
    [runId],
  );
  return { answer, refused };
}
