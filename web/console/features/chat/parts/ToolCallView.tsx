import { useLazyQuery } from "@apollo/client/react";
import { Wrench } from "lucide-react";

import { tell } from "../../../api/errors";
import { Badge } from "../../../ui/Badge";
import { Button } from "../../../ui/Button";
import { duration } from "../../../ui/numbers";
import { Approval } from "./Approval";
import styles from "./parts.module.css";
import { type ToolCallPartsFragment, ToolExecutionOutputDocument } from "./parts.generated";
import { statusOf } from "./statuses";
import { Value } from "./Value";

/** What a model asked a tool for, how far that is, and what came of it; where a person is to decide, they can here. */
export function ToolCallView({ call }: { call: ToolCallPartsFragment }) {
  const { execution } = call;
  const { word, tone } = statusOf(call);
  const took = execution?.durationMs ?? call.durationMs;
  const error = execution?.error ?? call.error;
  const awaits = execution?.status === "AWAITING_APPROVAL";
  return (
    <div className={styles.call} role="group" aria-label={`Call of ${call.name}`}>
      <p className={styles.head}>
        <Wrench size={15} aria-hidden />
        <code>{call.name}</code>
        <Badge tone={tone}>{word}</Badge>
        {took !== null && <span className={styles.muted}>{duration(took)}</span>}
        {execution?.agentId && <span className={styles.muted}>by {execution.agentId}</span>}
      </p>
      <Decision execution={execution} />
      <Value text={call.arguments} label="Arguments" />
      {call.result !== null && <Result call={call} result={call.result} />}
      {error && <p className={styles.problem}>{error}</p>}
      {awaits && <Approval execution={execution} shown={call.arguments} />}
    </div>
  );
}

function Decision({ execution }: { execution: ToolCallPartsFragment["execution"] }) {
  if (execution?.approvedBy == null) {
    return null;
  }
  const { approved, approvedBy, decisionComment } = execution;
  return (
    <p className={styles.muted}>
      {approved ? "Approved" : "Rejected"} by {approvedBy}
      {decisionComment && `: ${decisionComment}`}
    </p>
  );
}

/** Of a long answer the call holds the beginning; the rest is fetched where somebody wants it. */
function Result({ call, result }: { call: ToolCallPartsFragment; result: string }) {
  const [fetchAll, { data, loading, error }] = useLazyQuery(ToolExecutionOutputDocument);
  const { execution, resultTruncated } = call;
  const output = data?.toolExecution?.output;
  return (
    <>
      <Value text={output ?? result} label="Result" />
      {resultTruncated && execution && output === undefined && (
        <Button
          kind="quiet"
          isDisabled={loading}
          onPress={() => void fetchAll({ variables: { id: execution.id } }).catch(() => undefined)}
        >
          {loading ? "Fetching the rest…" : "This is the beginning of it: fetch the rest"}
        </Button>
      )}
      {error && <p className={styles.problem}>{tell(error).title}</p>}
    </>
  );
}
