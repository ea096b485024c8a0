import { dollars, duration, short, whole } from "../../ui/numbers";
import { sum } from "../../ui/plot/decimals";
import { Failure, Loading } from "../../ui/states";
import { Activity } from "./Activity";
import type { FiguresQuery } from "./documents.generated";
import styles from "./Figures.module.css";
import { OverTime } from "./OverTime";
import type { Wanted } from "./range";
import { type Tile, Tiles } from "./Tiles";
import { useFigures } from "./useFigures";

/** All figures of a range: the sums, what happened in it, and what was done. */
export function Shown({ wanted, sessionId = null }: { wanted: Wanted; sessionId?: string | null }) {
  const { last, fetching, error, refetch } = useFigures(wanted, sessionId);
  if (error && !fetching) {
    return <Failure error={error} onRetry={refetch} />;
  }
  if (!last) {
    return <Loading label="Loading figures" />;
  }
  const { data } = last;
  return (
    <div className={fetching ? styles.stale : ""} aria-busy={fetching}>
      <Tiles label="In this range" tiles={tiles(data)} />
      <section className={styles.section} aria-label="Over time">
        <h2>Over time</h2>
        <OverTime {...last} />
      </section>
      {data.messagePersistenceStatistics && (
        <section className={styles.section} aria-label="Activity">
          <h2>Activity</h2>
          <Activity found={data.messagePersistenceStatistics} ofSession={sessionId !== null} />
        </section>
      )}
    </div>
  );
}

function tiles({ usageSeries, messagePersistenceStatistics: stored }: FiguresQuery): Tile[] {
  const used = usageSeries ?? [];
  const count = (read: (point: (typeof used)[number]) => number) => used.reduce((so, point) => so + read(point), 0);
  const tokens = sum(used.map(({ totalTokens }) => totalTokens)) ?? "0";
  // A bucket without runs has cost nothing, and one whose runs have no known price is not known.
  const known = used.some(({ runs, unpricedRuns }) => runs > unpricedRuns) || count(({ runs }) => runs) === 0;
  const unpriced = count(({ unpricedRuns }) => unpricedRuns);
  const half = stored?.processingTimeP50Ms ?? null;
  const most = stored?.processingTimeP95Ms ?? null;
  return [
    { name: "Tokens", value: short(tokens), detail: whole(tokens) },
    {
      name: "Cost",
      value: known ? dollars(sum(used.map(({ cost }) => cost)) ?? "0") : "unknown",
      detail: unpriced > 0 ? `without ${whole(unpriced)} unpriced runs` : undefined,
    },
    {
      name: "Runs",
      value: whole(count(({ runs }) => runs)),
      detail: `${whole(count(({ errors }) => errors))} failed`,
    },
    {
      name: "Messages",
      value: whole(stored?.totalMessages ?? 0),
      detail: `${whole(stored?.failedMessages ?? 0)} failed`,
    },
    {
      name: "Response time",
      value: half === null ? "–" : duration(half),
      detail: most === null ? "no answer was timed" : `p95: ${duration(most)}`,
    },
  ];
}
