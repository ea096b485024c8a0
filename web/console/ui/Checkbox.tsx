import { Check } from "lucide-react";
import type { ReactNode } from "react";
import { CheckboxButton, CheckboxField, CheckboxGroup as AriaGroup, Label, Text } from "react-aria-components";

import styles from "./Checkbox.module.css";

export interface CheckboxProps {
  children: ReactNode;
  isSelected?: boolean;
  onChange?: (isSelected: boolean) => void;
  isDisabled?: boolean;
  /** In a group: what it stands for. */
  value?: string;
}

/** Something that is so or not. */
export function Checkbox({ children, ...props }: CheckboxProps) {
  return (
    <CheckboxField {...props}>
      <CheckboxButton className={styles.checkbox ?? ""}>
        <span className={styles.box}>
          <Check size={14} strokeWidth={3} aria-hidden />
        </span>
        {children}
      </CheckboxButton>
    </CheckboxField>
  );
}

export interface CheckboxGroupProps<Value extends string> {
  label: string;
  help?: string;
  choices: readonly { value: Value; label: string }[];
  value: readonly Value[];
  onChange: (value: Value[]) => void;
}

/** Any of several. */
export function CheckboxGroup<Value extends string>(props: CheckboxGroupProps<Value>) {
  const { label, help, choices, value, onChange } = props;
  return (
    <AriaGroup className={styles.group ?? ""} value={[...value]} onChange={(chosen) => onChange(chosen as Value[])}>
      <Label className={styles.label ?? ""}>{label}</Label>
      <div className={styles.choices}>
        {choices.map((choice) => (
          <Checkbox key={choice.value} value={choice.value}>
            {choice.label}
          </Checkbox>
        ))}
      </div>
      {help && (
        <Text slot="description" className={styles.help ?? ""}>
          {help}
        </Text>
      )}
    </AriaGroup>
  );
}
