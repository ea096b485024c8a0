import { Badge, type Tone } from "../../../ui/Badge";
import { Moment } from "../../../ui/Moment";
import type { ReviewDecisionKind, WorkflowReviewFragment } from "./documents.generated";
import styles from "./stage.module.css";

const KINDS: Record<ReviewDecisionKind, { label: string; tone: Tone }> = {
  APPROVE: { label: "Approved", tone: "success" },
  REJECT: { label: "Rejected", tone: "danger" },
  REQUEST_CHANGES: { label: "Changes requested", tone: "warning" },
};

/** What reviewers decided, and said. */
export function Decisions({ decisions }: { decisions: WorkflowReviewFragment["decisions"] }) {
  if (decisions.length === 0) {
    return null;
  }
  return (
    <ol className={styles.decisions} aria-label="Decisions">
      {decisions.map(({ number, kind, feedback, decidedBy, at }) => (
        <li key={number}>
          <p className={styles.decided}>
            <Badge tone={KINDS[kind].tone}>{KINDS[kind].label}</Badge>
            <span>
              by {decidedBy} <Moment at={at} />
            </span>
          </p>
          {feedback && <blockquote className={styles.feedback}>{feedback}</blockquote>}
        </li>
      ))}
    </ol>
  );
}
