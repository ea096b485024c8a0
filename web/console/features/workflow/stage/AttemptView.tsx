import { useQuery } from "@apollo/client/react";
import { Download, MessagesSquare, Square } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";

import { useCommand } from "../../../api/commands";
import { download } from "../../../api/files";
import { Badge } from "../../../ui/Badge";
import { Button } from "../../../ui/Button";
import { type Choice, Select } from "../../../ui/fields";
import { Markdown } from "../../../ui/markdown/Markdown";
import { Moment } from "../../../ui/Moment";
import { Failure, Loading } from "../../../ui/states";
import { promptFile } from "../names";
import { ReviewForm } from "../review/ReviewForm";
import { useReview } from "../review/useReview";
import { isLive, STAGE_NAMES, STATUSES } from "../words";
import { Compare } from "./Compare";
import { WorkflowAttemptDocument, type WorkflowAttemptQuery, WorkflowStopDocument } from "./documents.generated";
import type { Attempt, Group } from "./groups";
import { Decisions } from "./Decisions";
import { StoryList } from "./StoryList";
import styles from "./stage.module.css";
import { Writing } from "./Writing";

export type Whole = NonNullable<WorkflowAttemptQuery["stage"]>;

const NOTHING = "";

export interface AttemptViewProps {
  projectId: string;
  group: Group;
  attempt: Attempt;
  mayEdit: boolean;
  mayReview: boolean;
  models: readonly Choice<string>[];
  /** Called once something was decided. */
  onDecided: () => void;
}

/** An attempt: what came of it so far, beside another where that is wanted, and what reviewers say. */
export function AttemptView({ projectId, group, attempt, ...rest }: AttemptViewProps) {
  const { data, error, refetch } = useQuery(WorkflowAttemptDocument, { variables: { stageId: attempt.id } });
  const [beside, setBeside] = useState(NOTHING);
  const others = group.attempts.filter(({ id, status }) => id !== attempt.id && !isLive(status) && status !== "FAILED");
  const other = others.find(({ id }) => id === beside);
  const whole = data?.stage;
  if (!whole) {
    return error ? <Failure error={error} onRetry={() => void refetch()} /> : <Loading label="Loading the attempt" />;
  }
  const name = `${STAGE_NAMES[attempt.kind]}, attempt ${attempt.attempt}`;
  return (
    <article className={styles.attempt} aria-label={name}>
      <Facts projectId={projectId} attempt={attempt} whole={whole} mayEdit={rest.mayEdit} story={group.story} />
      {others.length > 0 && whole.content !== null && (
        <div className={styles.beside}>
          <Select
            label="Compare with"
            hideLabel
            choices={[
              { value: NOTHING, label: "Compare with…" },
              ...others.map(({ id, attempt, status }) => ({
                value: id,
                label: `Attempt ${attempt}: ${STATUSES[status].label.toLowerCase()}`,
              })),
            ]}
            value={other ? beside : NOTHING}
            onChange={setBeside}
          />
        </div>
      )}
      {other ? <Compare one={attempt} other={other} /> : <Content whole={whole} />}
      <Said whole={whole} name={name} {...rest} />
    </article>
  );
}

interface FactsProps {
  projectId: string;
  attempt: Attempt;
  whole: Whole;
  mayEdit: boolean;
  story: Group["story"];
}

function Facts({ projectId, attempt, whole, mayEdit, story }: FactsProps) {
  const stop = useCommand(WorkflowStopDocument);
  const { label, tone } = STATUSES[attempt.status];
  const { upstream, run } = whole;
  return (
    <header className={styles.facts}>
      <h3>Attempt {attempt.attempt}</h3>
      <Badge tone={tone}>{label}</Badge>
      <span>by {attempt.model}</span>
      <span>
        asked for by {attempt.createdBy} <Moment at={attempt.createdAt} />
      </span>
      {upstream && (
        <Link to={`?stage=${upstream.kind}&attempt=${upstream.id}`}>
          built on {STAGE_NAMES[upstream.kind]}, attempt {upstream.attempt}
        </Link>
      )}
      {run?.session && (
        <Link to={`/chat/${run.session.id}`} className={styles.link}>
          <MessagesSquare size={14} aria-hidden />
          Conversation
        </Link>
      )}
      {isLive(attempt.status) && run && mayEdit && (
        <Button
          isDisabled={stop.sending}
          onPress={() => void stop.send({ input: { runId: run.id, clientKey: crypto.randomUUID() } })}
        >
          <Square size={14} aria-hidden />
          Stop
        </Button>
      )}
      {attempt.kind === "PROMPT_GENERATION" && whole.content !== null && story && (
        <Button
          onPress={() =>
            void download(
              `/projects/${encodeURIComponent(projectId)}/prompts/${encodeURIComponent(attempt.id)}.md`,
              promptFile(story),
            )
          }
        >
          <Download size={14} aria-hidden />
          Download .md
        </Button>
      )}
    </header>
  );
}

function Content({ whole }: { whole: Whole }) {
  if (whole.status === "PENDING") {
    return <p className={styles.note}>It waits for its turn: only so many of a project are generated at a time.</p>;
  }
  if (whole.status === "GENERATING") {
    return whole.run ? <Writing key={whole.run.id} runId={whole.run.id} /> : <Loading label="Generating" />;
  }
  return (
    <>
      {whole.status === "FAILED" && (
        <p className={styles.failure} role="alert">
          {whole.error?.message ?? "Nothing usable came of it."} {whole.error?.hint}
        </p>
      )}
      {whole.status === "STALE" && (
        <p className={styles.note}>
          Stale: what it was built on was replaced or rejected, or another attempt was approved in its place.
        </p>
      )}
      {whole.__typename === "StoryGeneration" && whole.stories.length > 0 ? (
        <StoryList stories={whole.stories} />
      ) : (
        whole.content !== null && (
          <div className={styles.document}>
            <Markdown text={whole.content} headingLevel={4} />
          </div>
        )
      )}
    </>
  );
}

type SaidProps = Pick<AttemptViewProps, "mayReview" | "models" | "onDecided"> & { whole: Whole; name: string };

function Said({ whole, name, mayReview, models, onDecided }: SaidProps) {
  const { review } = whole;
  if (!review) {
    return null;
  }
  const isOpen = whole.status !== "STALE";
  return (
    <section className={styles.review} aria-label={`Review of ${name}`}>
      <h4>Review</h4>
      <Decisions decisions={review.decisions} />
      {isOpen && mayReview && (
        <Deciding
          key={`${review.id} ${review.status}`}
          review={review}
          name={name}
          models={models}
          onDecided={onDecided}
        />
      )}
      {isOpen && !mayReview && review.status === "PENDING" && (
        <p className={styles.note}>Somebody with the role of a reviewer decides about it.</p>
      )}
    </section>
  );
}

interface DecidingProps {
  review: NonNullable<Whole["review"]>;
  name: string;
  models: readonly Choice<string>[];
  onDecided: () => void;
}

function Deciding({ review, name, models, onDecided }: DecidingProps) {
  const reviewing = useReview(review.id, review.status, onDecided);
  return <ReviewForm reviewing={reviewing} subject={name} models={models} />;
}
