import { useState } from "react";

import { useCommand } from "../../../api/commands";
import { type Refusal, tellRefusal, type Told } from "../../../api/errors";
import { toast } from "../../../ui/toasts";
import type { PromptTextFragment } from "../documents.generated";
import { SavePromptDocument } from "./documents.generated";
import { changesOf, type Draft } from "./draft";
import type { Editing } from "./useDraft";

/** Refusals that are shown where they can be mended. */
const MENDED_HERE = ["VERSION_CONFLICT", "VALIDATION_ERROR", "ALREADY_EXISTS"];

export interface Saving {
  /** Save the draft as the next version. */
  save: (draft: Draft) => Promise<void>;
  saving: boolean;
  /** Why the last attempt was refused; somebody else's version is no such reason. */
  problem: Told | null;
  /** Whether somebody else's version is to be looked at first. */
  isConflict: boolean;
  setConflict: (isConflict: boolean) => void;
}

/** Saves what a person made of a template, unless somebody else has saved meanwhile. */
export function useSaving(template: PromptTextFragment, editing: Editing): Saving {
  const { send, sending } = useCommand(SavePromptDocument);
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [isConflict, setConflict] = useState(false);
  const save = async (draft: Draft) => {
    setRefusal(null);
    const input = {
      templateId: template.id,
      expectedVersion: draft.version,
      ...changesOf(draft),
      clientKey: crypto.randomUUID(),
    };
    const payload = await send({ input }, MENDED_HERE);
    if (payload?.error?.code === "VERSION_CONFLICT") {
      setConflict(true);
    } else if (payload?.error) {
      setRefusal(payload.error);
    } else if (payload?.template) {
      editing.saved(draft.fields, payload.template);
      toast.note(`Saved as version ${payload.template.version}.`);
    }
  };
  return { save, saving: sending, problem: refusal && tellRefusal(refusal), isConflict, setConflict };
}
