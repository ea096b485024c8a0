import { Button } from "../../../ui/Button";
import { Dialog } from "../../../ui/Dialog";
import type { PromptByIdQuery } from "../documents.generated";
import { Comparison } from "./Comparison";
import { draftOf, rebased } from "./draft";
import type { Editing } from "./useDraft";
import type { Saving } from "./useSaving";

export interface ConflictProps {
  template: NonNullable<PromptByIdQuery["promptTemplate"]>;
  editing: Editing;
  saving: Saving;
}

/** Somebody else saved first: shows what they say beside what the draft says, and goes on from either. */
export function Conflict({ template, editing, saving }: ConflictProps) {
  const close = () => saving.setConflict(false);
  const theirs = draftOf(template);
  const mine = rebased(editing.draft, template.version, theirs.base);
  const then = (act: () => void) => () => {
    close();
    act();
  };
  return (
    <Dialog
      title="Somebody else saved first"
      isOpen={saving.isConflict}
      onClose={close}
      wide
      actions={
        <>
          <Button onPress={then(editing.discard)}>Discard mine</Button>
          <Button onPress={then(() => editing.put(mine))}>Go on editing</Button>
          <Button
            kind="primary"
            onPress={then(() => {
              editing.put(mine);
              void saving.save(mine);
            })}
          >
            Save mine as version {template.version + 1}
          </Button>
        </>
      }
    >
      <p>
        {template.latestVersion?.savedBy ?? "Somebody"} saved version {template.version} while you worked from version{" "}
        {editing.draft.version}. What you did not change stays as they said it.
      </p>
      <Comparison
        before={theirs.base}
        after={mine.fields}
        beforeLabel={`Version ${template.version}`}
        afterLabel="Yours"
      />
    </Dialog>
  );
}
