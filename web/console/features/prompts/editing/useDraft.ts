import { useMemo } from "react";

import type { PromptTextFragment } from "../documents.generated";
import { useKept } from "../kept";
import { type Draft, draftOf, type Fields, isChanged, rebased } from "./draft";

export interface Editing {
  draft: Draft;
  isChanged: boolean;
  /** Somebody else has saved a version since the draft was begun. */
  isBehind: boolean;
  /** Say something else in these members. */
  change: (members: Partial<Fields>) => void;
  /** Go on from this. */
  put: (draft: Draft) => void;
  /** Let go of what was changed. */
  discard: () => void;
  /** These fields are what the template says now; what was typed since is kept. */
  saved: (fields: Fields, template: PromptTextFragment) => void;
}

/** What a person makes of the template; it outlives a reload. Unchanged, it is the template as it is now. */
export function useDraft(template: PromptTextFragment): Editing {
  const [kept, keep] = useKept<Draft | null>(`draft.${template.id}`, null);
  const asItIs = useMemo(() => draftOf(template), [template]);
  const draft = kept ?? asItIs;
  const unlessSame = (next: Draft) => (isChanged(next) ? next : null);
  return {
    draft,
    isChanged: kept !== null,
    isBehind: draft.version < template.version,
    change: (members) =>
      keep((now) => {
        const from = now ?? asItIs;
        return unlessSame({ ...from, fields: { ...from.fields, ...members } });
      }),
    put: (next) => keep(unlessSame(next)),
    discard: () => keep(null),
    saved: (fields, template) => {
      const { version, base } = draftOf(template);
      keep((now) => now && unlessSame(rebased({ ...now, base: fields }, version, base)));
    },
  };
}
