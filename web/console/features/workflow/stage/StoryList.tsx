import { Badge, type Tone } from "../../../ui/Badge";
import type { StoryPriority, WorkflowAttemptQuery } from "./documents.generated";
import styles from "./stage.module.css";

type Listed = Extract<NonNullable<WorkflowAttemptQuery["stage"]>, { __typename: "StoryGeneration" }>["stories"];

const PRIORITIES: Record<StoryPriority, { label: string; tone: Tone }> = {
  HIGH: { label: "High", tone: "danger" },
  MEDIUM: { label: "Medium", tone: "warning" },
  LOW: { label: "Low", tone: "neutral" },
};

/** The stories of a list, in its order. */
export function StoryList({ stories }: { stories: Listed }) {
  return (
    <ol className={styles.stories} aria-label="Stories">
      {stories.map(({ id, index, title, description, acceptanceCriteria, priority, estimate }) => (
        <li key={id} className={styles.story}>
          <div className={styles.storyHead}>
            <h4>
              {index + 1}. {title}
            </h4>
            <Badge tone={PRIORITIES[priority].tone}>{PRIORITIES[priority].label} priority</Badge>
            <Badge>{estimate === 1 ? "1 point" : `${estimate} points`}</Badge>
          </div>
          <p>{description}</p>
          {acceptanceCriteria.length > 0 && (
            <ul className={styles.criteria}>
              {acceptanceCriteria.map((criterion, at) => (
                <li key={at}>{criterion}</li>
              ))}
            </ul>
          )}
        </li>
      ))}
    </ol>
  );
}
