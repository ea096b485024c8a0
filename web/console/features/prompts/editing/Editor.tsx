import { Button } from "../../../ui/Button";
import { Select, TextField } from "../../../ui/fields";
import { Moment } from "../../../ui/Moment";
import { whole } from "../../../ui/numbers";
import type { PromptByIdQuery } from "../documents.generated";
import { choices, TYPES } from "../words";
import { problemsOf } from "./draft";
import styles from "./editing.module.css";
import { placeholdersIn } from "./placeholders";
import type { Editing } from "./useDraft";
import type { Saving } from "./useSaving";
import { Variables } from "./Variables";

const LONGEST_CONTENT = 10_000;

export interface EditorProps {
  template: NonNullable<PromptByIdQuery["promptTemplate"]>;
  editing: Editing;
  saving: Saving;
}

/** What a prompt says, to be said otherwise: saved as the next version, with the button or with Ctrl+S. */
export function Editor({ template, editing, saving }: EditorProps) {
  const { fields } = editing.draft;
  const { names, misplaced } = placeholdersIn(fields.content);
  const canSave = editing.isChanged && !saving.saving && problemsOf(fields.variables).size === 0;
  const save = () => void saving.save(editing.draft);
  return (
    <form
      className={styles.editor}
      aria-label="Editor"
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
      onKeyDown={(event) => {
        if ((event.ctrlKey || event.metaKey) && event.key === "s") {
          event.preventDefault();
          if (canSave) {
            save();
          }
        }
      }}
    >
      <div className={styles.head}>
        <TextField
          label="Name"
          value={fields.name}
          onChange={(name) => editing.change({ name })}
          isRequired
          maxLength={255}
        />
        <Select
          label="Type"
          value={fields.type}
          choices={choices(TYPES)}
          onChange={(type) => editing.change({ type })}
        />
      </div>
      <TextField
        label="Description"
        value={fields.description}
        onChange={(description) => editing.change({ description })}
        rows={2}
        maxLength={4_000}
      />
      <div className={styles.content}>
        <TextField
          label="Text"
          value={fields.content}
          onChange={(content) => editing.change({ content })}
          rows={14}
          isRequired
          maxLength={LONGEST_CONTENT}
          help={`${whole(fields.content.length)} of ${whole(LONGEST_CONTENT)} characters`}
        />
        {misplaced && (
          <p className={styles.misplaced} role="status">
            Line {misplaced.line}, column {misplaced.column}: <code>{misplaced.shown}</code> is no variable. Write{" "}
            {"{{name}}"}, or four braces where two are to be in the text.
          </p>
        )}
      </div>
      <Variables variables={fields.variables} used={names} onChange={(variables) => editing.change({ variables })} />
      <footer className={styles.footer}>
        {saving.problem && (
          <p role="alert" className={styles.problem}>
            {saving.problem.title} {saving.problem.detail}
          </p>
        )}
        <p className={styles.state} role="status">
          {editing.isChanged ? (
            `Unsaved changes, begun from version ${editing.draft.version}.`
          ) : (
            <>
              Version {template.version}; changed <Moment at={template.updatedAt} /> by {template.updatedBy}.
            </>
          )}
        </p>
        {editing.isBehind && (
          <Button onPress={() => saving.setConflict(true)}>Version {template.version} was saved meanwhile</Button>
        )}
        {editing.isChanged && <Button onPress={editing.discard}>Discard changes</Button>}
        <Button kind="primary" type="submit" isDisabled={!canSave}>
          Save
        </Button>
      </footer>
    </form>
  );
}
