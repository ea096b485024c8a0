import { Link } from "react-router";

import { Badge } from "../../../ui/Badge";
import { STATUSES } from "../words";
import type { Attempt, Group } from "./groups";
import styles from "./stage.module.css";

/** The attempts at one thing, the newest first. */
export function AttemptLinks({ attempts, chosen }: { attempts: readonly Attempt[]; chosen: string }) {
  return (
    <nav className={styles.attempts} aria-label="Attempts">
      {attempts.map(({ id, kind, attempt, status }) => (
        <Link
          key={id}
          to={`?stage=${kind}&attempt=${id}`}
          className={styles.attemptLink}
          aria-current={id === chosen ? "true" : undefined}
        >
          Attempt {attempt}
          <Badge tone={STATUSES[status].tone}>{STATUSES[status].label}</Badge>
        </Link>
      ))}
    </nav>
  );
}

/** The stories, each with how far its prompt is. */
export function GroupLinks({ groups, chosen }: { groups: readonly Group[]; chosen: string }) {
  return (
    <nav className={styles.groups} aria-label="Stories">
      <ol>
        {groups.map(({ key, story, isCurrent, attempts }) => {
          const best = attempts.find(({ status }) => status === "APPROVED") ?? attempts[0];
          const { label, tone } = best ? STATUSES[best.status] : { label: "Not begun", tone: "neutral" as const };
          return (
            <li key={key}>
              <Link
                to={`?stage=PROMPT_GENERATION&story=${encodeURIComponent(key)}`}
                className={styles.groupLink}
                aria-current={key === chosen ? "true" : undefined}
              >
                <span className={styles.groupName}>
                  {(story?.index ?? 0) + 1}. {story?.title}
                  {!isCurrent && " (earlier list)"}
                </span>
                <Badge tone={tone}>{label}</Badge>
              </Link>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
