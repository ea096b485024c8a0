import { useQuery } from "@apollo/client/react";
import { useSearchParams } from "react-router";

import { Failure, Loading } from "../../../ui/states";
import type { WorkflowProgressFragment } from "../documents.generated";
import type { Means } from "../means";
import { STAGE_NAMES, STAGE_PURPOSES, stageBefore } from "../words";
import { AttemptView } from "./AttemptView";
import { type Stage, WorkflowAttemptsDocument } from "./documents.generated";
import { Generate } from "./Generate";
import { chosen, groupsOf } from "./groups";
import { AttemptLinks, GroupLinks } from "./Links";
import styles from "./stage.module.css";

export interface StagePanelProps {
  projectId: string;
  stage: Stage;
  progress: WorkflowProgressFragment;
  means: Means;
  /** Called when something was asked for or decided. */
  onChanged: () => void;
}

/** One stage: what it is generated with, its attempts, and one of them. */
export function StagePanel({ projectId, stage, progress, means, onChanged }: StagePanelProps) {
  const [params, setParams] = useSearchParams();
  const ofStories = stage === "PROMPT_GENERATION";
  const { data, error, refetch } = useQuery(WorkflowAttemptsDocument, { variables: { projectId, stage, ofStories } });
  const before = stageBefore(stage);
  const isReady = progress.stages.some((each) => each.stage === before && each.approved > 0) || before === null;
  const found = data?.project;
  if (error && !found) {
    return <Failure error={error} onRetry={() => void refetch()} />;
  }
  if (!found) {
    return <Loading label="Loading attempts" />;
  }
  const [list] = found.approved?.nodes ?? [];
  const stories = list?.__typename === "StoryGeneration" ? { listId: list.id, stories: list.stories } : null;
  const groups = groupsOf(found.stages.nodes, stories);
  const { group, attempt } = chosen(groups, { group: params.get("story"), attempt: params.get("attempt") });
  // What was made anew is what is looked for next.
  const showNewest = () => {
    setParams(group && ofStories ? { stage, story: group.key } : { stage }, { replace: true });
    onChanged();
  };
  const missing = progress.stages.find((each) => each.stage === stage);

  return (
    <section className={styles.panel} aria-labelledby="stage-name">
      <header className={styles.head}>
        <div>
          <h2 id="stage-name">{STAGE_NAMES[stage]}</h2>
          <p className={styles.purpose}>{STAGE_PURPOSES[stage]}</p>
        </div>
        {means.mayEdit && isReady && (
          <Generate
            projectId={projectId}
            stage={stage}
            group={group?.isCurrent ? group : null}
            missing={
              missing
                ? missing.of - missing.approved - missing.awaitingReview - missing.generating - missing.pending
                : 0
            }
            models={means.models}
            onAsked={showNewest}
          />
        )}
      </header>
      {!isReady && (
        <p className={styles.note}>It is built on an approved attempt at {STAGE_NAMES[before]}: approve one first.</p>
      )}
      {isReady && groups.length === 0 && (
        <p className={styles.note}>
          Nothing was generated yet.{" "}
          {means.mayEdit
            ? "Choose a model and generate the first attempt."
            : "Somebody with the role of an editor does."}
        </p>
      )}
      {found.stages.totalCount > found.stages.nodes.length && (
        <p className={styles.note}>
          The newest {found.stages.nodes.length} of {found.stages.totalCount} attempts are shown.
        </p>
      )}
      {group && (
        <div className={ofStories ? styles.withStories : ""}>
          {ofStories && <GroupLinks groups={groups} chosen={group.key} />}
          <div className={styles.one}>
            {group.story && <h3 className={styles.storyTitle}>{group.story.title}</h3>}
            {attempt ? (
              <>
                {group.attempts.length > 1 && <AttemptLinks attempts={group.attempts} chosen={attempt.id} />}
                <AttemptView
                  key={attempt.id}
                  projectId={projectId}
                  group={group}
                  attempt={attempt}
                  mayEdit={means.mayEdit}
                  mayReview={means.mayReview}
                  models={means.models}
                  onDecided={params.has("attempt") ? showNewest : onChanged}
                />
              </>
            ) : (
              <p className={styles.note}>There is no prompt for this story yet.</p>
            )}
          </div>
        </div>
      )}
    </section>
  );
}
