import { ToggleButton, ToggleButtonGroup } from "react-aria-components";

import type { Choice } from "./fields";
import styles from "./Toggle.module.css";
import fields from "./fields.module.css";

export interface ToggleProps<Value extends string> {
  label: string;
  choices: readonly Choice<Value>[];
  value: Value;
  onChange: (value: Value) => void;
}

/** One of a few, all of them in sight. */
export function Toggle<Value extends string>({ label, choices, value, onChange }: ToggleProps<Value>) {
  return (
    <div className={fields.field}>
      <span className={fields.label} aria-hidden>
        {label}
      </span>
      <ToggleButtonGroup
        aria-label={label}
        className={styles.group ?? ""}
        selectionMode="single"
        disallowEmptySelection
        selectedKeys={[value]}
        onSelectionChange={([key]) => onChange(key as Value)}
      >
        {choices.map(({ value, label }) => (
          <ToggleButton key={value} id={value} className={styles.choice ?? ""}>
            {label}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
    </div>
  );
}
