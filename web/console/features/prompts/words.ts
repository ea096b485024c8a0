import type { Tone } from "../../ui/Badge";
import type { Choice } from "../../ui/fields";
import type { PromptType, PromptVariableType } from "./documents.generated";
import type { Stage } from "./library/documents.generated";
import type { PromptChangeKind, RunStatus } from "./versions/documents.generated";

export const TYPES: Record<PromptType, string> = {
  QUESTION_ANSWERING: "Question answering",
  SUMMARIZATION: "Summarization",
  ENTITY_EXTRACTION: "Entity extraction",
  TEXT_GENERATION: "Text generation",
  TRANSLATION: "Translation",
  CLASSIFICATION: "Classification",
  CUSTOM: "Custom",
};

export const STAGES: Record<Stage, string> = {
  REQUIREMENTS_ANALYSIS: "Requirements analysis",
  PROJECT_PLANNING: "Project planning",
  STORY_GENERATION: "Story generation",
  PROMPT_GENERATION: "Prompt generation",
};

export const VARIABLE_TYPES: Record<PromptVariableType, string> = {
  TEXT: "Text",
  INTEGER: "Whole number",
  NUMBER: "Number",
  BOOLEAN: "True or false",
  JSON: "JSON",
};

export const STATUSES: Record<RunStatus, { label: string; tone: Tone }> = {
  QUEUED: { label: "Queued", tone: "neutral" },
  RUNNING: { label: "Running", tone: "info" },
  REQUIRES_ACTION: { label: "Waits for a tool", tone: "warning" },
  COMPLETED: { label: "Completed", tone: "success" },
  FAILED: { label: "Failed", tone: "danger" },
  CANCELLED: { label: "Stopped", tone: "neutral" },
  INTERRUPTED: { label: "Interrupted", tone: "warning" },
};

export const CHANGES: Record<PromptChangeKind, string> = {
  CREATED: "made the prompt",
  UPDATED: "saved a version",
  ENABLED: "enabled it",
  DISABLED: "disabled it",
  LABELLED: "set the label",
  UNLABELLED: "removed the label",
  DELETED: "deleted it",
};

/** The words as what one can choose from. */
export function choices<Value extends string>(words: Record<Value, string>): Choice<Value>[] {
  return (Object.keys(words) as Value[]).map((value) => ({ value, label: words[value] }));
}
