import { useQuery } from "@apollo/client/react";
import type { ReactNode } from "react";
import { Link } from "react-aria-components";

import { Badge, type Tone } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Moment } from "../../ui/Moment";
import { dollars, duration } from "../../ui/numbers";
import { Failure, Loading } from "../../ui/states";
import { FiguresPromptExecutionsDocument, FiguresToolExecutionsDocument } from "./documents.generated";
import styles from "./Executions.module.css";

const TONES: Record<string, Tone> = {
  COMPLETED: "success",
  FAILED: "danger",
  INTERRUPTED: "danger",
  AWAITING_APPROVAL: "warning",
  REQUIRES_ACTION: "warning",
  RUNNING: "info",
};

/** The tools that were executed in a session. */
export function ToolExecutions({ sessionId }: { sessionId: string }) {
  const { data, error, loading, fetchMore, refetch } = useQuery(FiguresToolExecutionsDocument, {
    variables: { sessionId },
  });
  const found = data?.toolExecutions;
  return (
    <List
      title="Tool executions"
      empty="No tool was executed here."
      heads={["Tool", "Status", "Took", "When"]}
      rows={found?.edges.map(({ node: { id, toolName, status, durationMs, createdAt } }) => ({
        id,
        cells: [
          toolName,
          <Status key="status" status={status} />,
          took(durationMs),
          <Moment key="at" at={createdAt} />,
        ],
      }))}
      error={error}
      loading={loading}
      onRetry={() => void refetch()}
      onMore={
        found?.pageInfo.hasNextPage ? () => void fetchMore({ variables: { after: found.pageInfo.endCursor } }) : null
      }
    />
  );
}

/** The prompts that were executed in a session. */
export function PromptExecutions({ sessionId }: { sessionId: string }) {
  const { data, error, loading, fetchMore, refetch } = useQuery(FiguresPromptExecutionsDocument, {
    variables: { sessionId },
  });
  const found = data?.promptExecutions;
  return (
    <List
      title="Prompt executions"
      empty="No prompt was executed here."
      heads={["Prompt", "Status", "Cost", "Took", "When"]}
      rows={found?.edges.map(({ node: { id, status, cost, durationMs, createdAt, templateVersion, template } }) => ({
        id,
        cells: [
          template ? (
            <Link key="prompt" href={`/prompts/${encodeURIComponent(template.id)}`}>
              {templateVersion?.name ?? "A prompt"} v{templateVersion?.version ?? "?"}
            </Link>
          ) : (
            "A deleted prompt"
          ),
          <Status key="status" status={status} />,
          cost === null ? "unknown" : dollars(cost),
          took(durationMs),
          <Moment key="at" at={createdAt} />,
        ],
      }))}
      error={error}
      loading={loading}
      onRetry={() => void refetch()}
      onMore={
        found?.pageInfo.hasNextPage ? () => void fetchMore({ variables: { after: found.pageInfo.endCursor } }) : null
      }
    />
  );
}

interface ListProps {
  title: string;
  empty: string;
  heads: readonly string[];
  rows: readonly { id: string; cells: readonly ReactNode[] }[] | undefined;
  error: unknown;
  loading: boolean;
  onRetry: () => void;
  /** Have the next ones fetched; null when there are none. */
  onMore: (() => void) | null;
}

function List({ title, empty, heads, rows, error, loading, onRetry, onMore }: ListProps) {
  return (
    <section className={styles.list} aria-label={title}>
      <h3>{title}</h3>
      {Boolean(error) && <Failure error={error} onRetry={onRetry} />}
      {!rows && !error && <Loading label={`Loading ${title.toLowerCase()}`} />}
      {rows?.length === 0 && <p className={styles.empty}>{empty}</p>}
      {rows && rows.length > 0 && (
        <div className={styles.scroller} role="region" aria-label={`${title}, a table`} tabIndex={0}>
          <table className={styles.table}>
            <thead>
              <tr>
                {heads.map((head) => (
                  <th key={head} scope="col">
                    {head}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ id, cells }) => (
                <tr key={id}>
                  {cells.map((cell, place) => (
                    <td key={heads[place]}>{cell}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {onMore && (
        <Button onPress={onMore} isDisabled={loading}>
          Show more
        </Button>
      )}
    </section>
  );
}

function Status({ status }: { status: string }) {
  const words = status.replaceAll("_", " ").toLowerCase();
  return <Badge tone={TONES[status] ?? "neutral"}>{words}</Badge>;
}

function took(milliseconds: number | null): string {
  return milliseconds === null ? "–" : duration(milliseconds);
}
