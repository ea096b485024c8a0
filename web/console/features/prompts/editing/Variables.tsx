import { Plus, Trash2 } from "lucide-react";

import { Badge } from "../../../ui/Badge";
import { Button } from "../../../ui/Button";
import { Select, TextField } from "../../../ui/fields";
import { choices, VARIABLE_TYPES } from "../words";
import { newVariable, type Variable } from "./draft";
import styles from "./editing.module.css";
import { ValueField } from "./ValueField";

export interface VariablesProps {
  variables: readonly Variable[];
  /** The names that the text uses. */
  used: readonly string[];
  onChange: (variables: Variable[]) => void;
}

/** The variables that a prompt declares; those that its text uses and are not declared are offered. */
export function Variables({ variables, used, onChange }: VariablesProps) {
  const undeclared = used.filter((name) => !variables.some((variable) => variable.name === name));
  const declare = (names: readonly string[]) => onChange([...variables, ...names.map(newVariable)]);
  return (
    <section className={styles.variables} aria-labelledby="variables">
      <header className={styles.between}>
        <h2 id="variables">Variables</h2>
        <Button kind="quiet" onPress={() => declare([""])}>
          <Plus size={16} aria-hidden /> Add a variable
        </Button>
      </header>
      {undeclared.length > 0 && (
        <div className={styles.offer} role="status">
          <span>The text uses what is not declared:</span>
          {undeclared.map((name) => (
            <Button key={name} onPress={() => declare([name])}>
              Declare {name}
            </Button>
          ))}
          {undeclared.length > 1 && (
            <Button kind="primary" onPress={() => declare(undeclared)}>
              Declare all
            </Button>
          )}
        </div>
      )}
      {variables.length === 0 && undeclared.length === 0 && (
        <p className={styles.muted}>Write {"{{name}}"} in the text where the value of a variable is to stand.</p>
      )}
      <ul className={styles.list}>
        {variables.map((variable, index) => (
          <li key={index}>
            <VariableFields
              variable={variable}
              isUsed={used.includes(variable.name)}
              onChange={(next) => onChange(variables.map((one, at) => (at === index ? next : one)))}
              onRemove={() => onChange(variables.filter((_, at) => at !== index))}
            />
          </li>
        ))}
      </ul>
    </section>
  );
}

interface VariableFieldsProps {
  variable: Variable;
  isUsed: boolean;
  onChange: (variable: Variable) => void;
  onRemove: () => void;
}

function VariableFields({ variable, isUsed, onChange, onRemove }: VariableFieldsProps) {
  const { name, type, description, required, default: raw } = variable;
  const change = (members: Partial<Variable>) => onChange({ ...variable, ...members });
  const called = name || "the new variable";
  return (
    <fieldset className={styles.variable}>
      <legend className={styles.legend}>
        {name ? <code>{name}</code> : "New variable"}
        {!isUsed && <Badge tone="warning">Not used in the text</Badge>}
      </legend>
      <TextField label="Name" value={name} onChange={(name) => change({ name })} maxLength={64} />
      <Select
        label="Type"
        value={type}
        choices={choices(VARIABLE_TYPES)}
        onChange={(type) => change({ type, default: "" })}
      />
      <ValueField
        label="Default"
        type={type}
        value={raw}
        none="No default"
        onChange={(raw) => change({ default: raw })}
      />
      <Select
        label="Without a value"
        // One with a default is never required.
        isDisabled={raw !== ""}
        value={raw !== "" ? "default" : required ? "refused" : "empty"}
        choices={
          raw !== ""
            ? [{ value: "default", label: "The default" }]
            : [
                { value: "refused", label: "Refused" },
                { value: "empty", label: "Left empty" },
              ]
        }
        onChange={(choice) => change({ required: choice === "refused" })}
      />
      <div className={styles.described}>
        <TextField
          label="Description"
          value={description}
          onChange={(description) => change({ description })}
          maxLength={1_000}
        />
        <Button kind="quiet" icon aria-label={`Remove ${called}`} onPress={onRemove}>
          <Trash2 size={16} aria-hidden />
        </Button>
      </div>
    </fieldset>
  );
}
