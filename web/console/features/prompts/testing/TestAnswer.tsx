import { useQuery } from "@apollo/client/react";
import { Square } from "lucide-react";
import { Link } from "react-router";

import { useCommand } from "../../../api/commands";
import { Badge } from "../../../ui/Badge";
import { Button } from "../../../ui/Button";
import { Markdown } from "../../../ui/markdown/Markdown";
import { dollars, duration, whole } from "../../../ui/numbers";
import { Failure } from "../../../ui/states";
import { STATUSES } from "../words";
import type { Answer, Ended } from "./answer";
import { PromptTestRunDocument, StopPromptRunDocument } from "./documents.generated";
import styles from "./testing.module.css";
import { useAnswer } from "./useAnswer";

/** The answer of a test run as it is written, and what it took in the end. */
export function TestAnswer({ runId }: { runId: string }) {
  const { answer, refused } = useAnswer(runId);
  const { data } = useQuery(PromptTestRunDocument, { variables: { id: runId } });
  if (refused) {
    return <Failure error={refused} />;
  }
  const run = data?.run;
  const version = run?.promptExecution?.templateVersion?.version;
  const { ended } = answer;
  return (
    <section className={styles.answer} aria-label="Answer" aria-busy={!ended}>
      <header className={styles.standing}>
        <span role="status">
          <Status answer={answer} />
        </span>
        {run && (
          <span className={styles.about}>
            {version ? `Version ${version}` : "Unsaved text"} · {run.model}
          </span>
        )}
        {!ended && <Stop runId={runId} />}
      </header>
      {answer.text && <Markdown text={answer.text} streaming={!ended} headingLevel={3} />}
      {ended?.error && (
        <p className={styles.problem} role="alert">
          {ended.error.message} {ended.error.hint}
        </p>
      )}
      {answer.waits && <p className={styles.about}>It waits for a tool: go on in its conversation.</p>}
      {ended && <Figures ended={ended} />}
      {run?.session && <Link to={`/chat/${encodeURIComponent(run.session.id)}`}>Open the conversation</Link>}
    </section>
  );
}

function Status({ answer: { text, waits, ended } }: { answer: Answer }) {
  const status = ended?.status ?? (waits ? "REQUIRES_ACTION" : text ? "RUNNING" : "QUEUED");
  const { label, tone } = STATUSES[status];
  return <Badge tone={tone}>{status === "RUNNING" ? "Writing" : label}</Badge>;
}

function Stop({ runId }: { runId: string }) {
  const { send, sending } = useCommand(StopPromptRunDocument);
  return (
    <Button isDisabled={sending} onPress={() => void send({ input: { runId, clientKey: crypto.randomUUID() } })}>
      <Square size={14} aria-hidden /> Stop
    </Button>
  );
}

function Figures({ ended: { usage, cost, promptExecution } }: { ended: Ended }) {
  const took = promptExecution?.durationMs;
  return (
    <dl className={styles.figures}>
      <div>
        <dt>Tokens</dt>
        <dd>{usage ? `${whole(usage.input)} read, ${whole(usage.output)} written` : "Unknown"}</dd>
      </div>
      <div>
        <dt>Cost</dt>
        <dd>{cost === null ? "Unknown" : dollars(cost)}</dd>
      </div>
      <div>
        <dt>Time</dt>
        <dd>{took === null || took === undefined ? "Unknown" : duration(took)}</dd>
      </div>
    </dl>
  );
}
