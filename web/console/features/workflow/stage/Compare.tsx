import { useQuery } from "@apollo/client/react";

import { Diff } from "../../../ui/diff/Diff";
import { Failure, Loading } from "../../../ui/states";
import { WorkflowContentsDocument } from "./documents.generated";
import type { Attempt } from "./groups";

/** Two attempts at the same thing, the earlier one before. */
export function Compare({ one, other }: { one: Attempt; other: Attempt }) {
  const [before, after] = one.attempt < other.attempt ? [one, other] : [other, one];
  const { data, error, refetch } = useQuery(WorkflowContentsDocument, { variables: { ids: [before.id, after.id] } });
  if (error) {
    return <Failure error={error} onRetry={() => void refetch()} />;
  }
  if (!data) {
    return <Loading label="Loading both attempts" />;
  }
  const [old, young] = data.nodes.map((node) => (node && "content" in node ? (node.content ?? "") : ""));
  return (
    <Diff
      before={old ?? ""}
      after={young ?? ""}
      beforeLabel={`Attempt ${before.attempt}`}
      afterLabel={`Attempt ${after.attempt}`}
    />
  );
}
