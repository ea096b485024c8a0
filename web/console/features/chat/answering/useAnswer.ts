import { useMemo, useSyncExternalStore } from "react";

import { client } from "../../../api/client";
import { follow } from "../../../api/socket";
import { MessagePartsFragmentDoc } from "../parts/parts.generated";
import { makeAnswers } from "./answers";
import type { Answer } from "./completion";
import { AnswerCompletionDocument, AnswerRunFragmentDoc } from "./documents.generated";

/** The answers of this page; their ends go into the cache, where everybody else reads them. */
const answerOf = makeAnswers(
  (runId, after, { next, refused }) =>
    follow(
      AnswerCompletionDocument,
      { runId },
      { next: ({ messageCompletion }) => next(messageCompletion), refused },
      after,
    ),
  ({ run, message }) => {
    client.cache.batch({
      update(cache) {
        cache.writeFragment({ fragment: AnswerRunFragmentDoc, fragmentName: "AnswerRun", data: run });
        if (message) {
          cache.writeFragment({ fragment: MessagePartsFragmentDoc, fragmentName: "MessageParts", data: message });
        }
      },
    });
  },
);

const NOBODY = { get: () => null, subscribe: () => () => undefined };

/** The answer that a run writes, followed while it is shown; null without a run. */
export function useAnswer(runId: string | null): Answer | null {
  const followed = useMemo(() => (runId === null ? NOBODY : answerOf(runId)), [runId]);
  return useSyncExternalStore<Answer | null>(followed.subscribe, followed.get);
}
