import { useEffect, useState } from "react";

import { follow } from "../../../api/socket";
import { WorkflowWritingDocument } from "./documents.generated";

/** What a run has written so far, as it is written. */
export function useWriting(runId: string): string {
  const [written, setWritten] = useState({ runId, text: "" });
  useEffect(
    () =>
      follow(
        WorkflowWritingDocument,
        { runId },
        {
          next({ messageCompletion: event }) {
            if (event.__typename === "CompletionSnapshot") {
              setWritten({ runId, text: event.text });
            } else if (event.__typename === "CompletionDelta") {
              setWritten(({ text }) => ({ runId, text: text + event.text }));
            }
            return event.seq;
          },
        },
      ),
    [runId],
  );
  return written.runId === runId ? written.text : "";
}
