import { useCommand } from "../../../api/commands";
import { type Stage, WorkflowGenerateDocument } from "./documents.generated";

export interface Wish {
  stage: Stage;
  /** One story; without it, of prompts, all that are missing. */
  storyIndex?: number;
  model: string;
}

/** Have attempts generated; `onAsked` is called once they are asked for. */
export function useGenerate(projectId: string, onAsked: () => void) {
  const { send, sending } = useCommand(WorkflowGenerateDocument);
  const generate = async ({ stage, storyIndex, model }: Wish) => {
    const answer = await send({
      input: { projectId, stage, storyIndex: storyIndex ?? null, model: model || null, clientKey: crypto.randomUUID() },
    });
    if (answer) {
      onAsked();
    }
  };
  return { generate, sending };
}
