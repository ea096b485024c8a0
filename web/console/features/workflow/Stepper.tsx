import type { WorkflowProgressFragment } from "./documents.generated";
import { STAGE_NAMES, STATUSES } from "./words";
import styles from "./Stepper.module.css";

/** How far each of the four stages is, in a line. */
export function Stepper({ stages }: { stages: WorkflowProgressFragment["stages"] }) {
  return (
    <ol className={styles.stages} aria-label="Stages">
      {stages.map(({ stage, status, approved, of }) => {
        const isDone = of > 0 && approved >= of;
        const tone = isDone ? "success" : status ? STATUSES[status].tone : "none";
        const said = isDone ? "Approved" : status ? STATUSES[status].label : "Not begun";
        return (
          <li key={stage} className={`${styles.stage} ${styles[tone]}`}>
            <span className={styles.bar} aria-hidden />
            <span className={styles.name}>{STAGE_NAMES[stage]}</span>
            <span className={styles.said}>
              {said}
              {of > 1 && ` ${approved}/${of}`}
            </span>
          </li>
        );
      })}
    </ol>
  );
}
