import { Label, RadioButton, RadioField, RadioGroup } from "react-aria-components";

import styles from "./Choices.module.css";
import type { Choice } from "./fields";

export interface ChoicesProps<Value extends string> {
  label: string;
  choices: readonly Choice<Value>[];
  value: Value;
  onChange: (value: Value) => void;
}

/** One of a few, all in sight. */
export function Choices<Value extends string>({ label, choices, value, onChange }: ChoicesProps<Value>) {
  return (
    <RadioGroup
      className={styles.group ?? ""}
      orientation="horizontal"
      value={value}
      onChange={(chosen) => onChange(chosen as Value)}
    >
      <Label className={styles.label ?? ""}>{label}</Label>
      <div className={styles.choices}>
        {choices.map((choice) => (
          <RadioField key={choice.value} value={choice.value} className={styles.field ?? ""}>
            <RadioButton className={styles.choice ?? ""}>{choice.label}</RadioButton>
          </RadioField>
        ))}
      </div>
    </RadioGroup>
  );
}
