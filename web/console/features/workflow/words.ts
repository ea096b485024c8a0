import type { Tone } from "../../ui/Badge";
import type { WaitsFor, WorkflowProgressFragment } from "./documents.generated";
import type { Stage, StageStatus } from "./stage/documents.generated";

/** In the order in which a project goes through them. */
export const STAGES: readonly Stage[] = [
  "REQUIREMENTS_ANALYSIS",
  "PROJECT_PLANNING",
  "STORY_GENERATION",
  "PROMPT_GENERATION",
];

export const STAGE_NAMES: Record<Stage, string> = {
  REQUIREMENTS_ANALYSIS: "Requirements",
  PROJECT_PLANNING: "Planning",
  STORY_GENERATION: "Stories",
  PROMPT_GENERATION: "Prompts",
};

/** What comes of each, for whoever has not seen one. */
export const STAGE_PURPOSES: Record<Stage, string> = {
  REQUIREMENTS_ANALYSIS: "What is asked for, in order",
  PROJECT_PLANNING: "How it is to be made",
  STORY_GENERATION: "User stories, piece by piece",
  PROMPT_GENERATION: "A prompt for each story",
};

export const STATUSES: Record<StageStatus, { label: string; tone: Tone }> = {
  PENDING: { label: "Waiting for its turn", tone: "neutral" },
  GENERATING: { label: "Generating", tone: "info" },
  AWAITING_REVIEW: { label: "Awaiting review", tone: "warning" },
  APPROVED: { label: "Approved", tone: "success" },
  REJECTED: { label: "Rejected", tone: "danger" },
  FAILED: { label: "Failed", tone: "danger" },
  STALE: { label: "Stale", tone: "neutral" },
};

export const WAITS_FOR: Record<WaitsFor, string> = {
  EDITOR: "An editor",
  MODEL: "A model",
  REVIEWER: "A reviewer",
};

/** Whether a model is at it, or will be. */
export function isLive(status: StageStatus): boolean {
  return status === "PENDING" || status === "GENERATING";
}

/** The stage that one is built on; null of the first. */
export function stageBefore(stage: Stage): Stage | null {
  return STAGES[STAGES.indexOf(stage) - 1] ?? null;
}

/** What a project waits for, a sentence for each. */
export function waitingTexts({
  finished,
  waitsFor,
}: Pick<WorkflowProgressFragment, "finished" | "waitsFor">): string[] {
  if (finished) {
    return ["Finished: there is an approved prompt for every story."];
  }
  return waitsFor.map(({ role, count, stage }) => {
    const name = STAGE_NAMES[stage];
    const attempts = count === 1 ? "one attempt" : `${count} attempts`;
    switch (role) {
      case "EDITOR":
        return stage === "PROMPT_GENERATION" && count > 1
          ? `${name}: ${count} are to be generated.`
          : `${name}: to be generated.`;
      case "MODEL":
        return `${name}: a model is at ${attempts}.`;
      case "REVIEWER":
        return `${name}: ${attempts} to be reviewed.`;
    }
  });
}
