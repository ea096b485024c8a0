import { Link } from "react-router";

import { Badge } from "../../ui/Badge";
import styles from "./board.module.css";
import type { WorkflowProgressFragment } from "./documents.generated";
import type { Stage } from "./stage/documents.generated";
import { STAGE_NAMES, STATUSES } from "./words";

type Progress = WorkflowProgressFragment["stages"][number];

/** The four stages of a project, each with how far it is; one of them is looked at. */
export function Board({ stages, chosen }: { stages: readonly Progress[]; chosen: Stage }) {
  return (
    <nav aria-label="Stages">
      <ol className={styles.board}>
        {stages.map((progress, at) => (
          <li key={progress.stage}>
            <Link
              to={`?stage=${progress.stage}`}
              className={styles.stage}
              aria-current={progress.stage === chosen ? "true" : undefined}
            >
              <span className={styles.name}>
                {at + 1}. {STAGE_NAMES[progress.stage]}
              </span>
              <Standing progress={progress} />
              <span className={styles.counts}>{counts(progress)}</span>
            </Link>
          </li>
        ))}
      </ol>
    </nav>
  );
}

function Standing({ progress: { status, approved, of } }: { progress: Progress }) {
  if (of > 0 && approved >= of) {
    return <Badge tone="success">{of > 1 ? "All approved" : "Approved"}</Badge>;
  }
  return status ? <Badge tone={STATUSES[status].tone}>{STATUSES[status].label}</Badge> : <Badge>Not begun</Badge>;
}

/** What there is of a stage, in few words. */
function counts({ approved, of, awaitingReview, generating, pending, failed, stale, attempts }: Progress): string {
  const told = [
    of > 1 && `${approved} of ${of} approved`,
    generating > 0 && `${generating} generating`,
    pending > 0 && `${pending} waiting`,
    awaitingReview > 0 && `${awaitingReview} to be reviewed`,
    failed > 0 && `${failed} failed`,
    stale > 0 && `${stale} stale`,
    attempts > 0 && (attempts === 1 ? "1 attempt" : `${attempts} attempts`),
  ];
  return told.filter(Boolean).join(" · ");
}
