import { ChevronDown } from "lucide-react";
import type { ReactNode } from "react";
import {
  Select as AriaSelect,
  TextField as AriaTextField,
  type TextFieldProps as AriaTextFieldProps,
  Button,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  SelectValue,
  Text,
  TextArea,
} from "react-aria-components";

import styles from "./fields.module.css";

export interface TextFieldProps extends Omit<AriaTextFieldProps, "className" | "style" | "children"> {
  label: string;
  /** Told below it. */
  help?: string;
  placeholder?: string;
  /** Of a text that has several. */
  rows?: number;
  /** The label is for those who hear it alone. */
  hideLabel?: boolean;
}

/** A line of text, or several where `rows` is given. */
export function TextField({ label, help, placeholder, rows, hideLabel = false, ...props }: TextFieldProps) {
  return (
    <AriaTextField {...props} {...(hideLabel && { "aria-label": label })} className={styles.field ?? ""}>
      {!hideLabel && <Label className={styles.label ?? ""}>{label}</Label>}
      {rows ? (
        <TextArea className={styles.input ?? ""} rows={rows} placeholder={placeholder ?? ""} />
      ) : (
        <Input className={styles.input ?? ""} placeholder={placeholder ?? ""} />
      )}
      {help && (
        <Text slot="description" className={styles.help ?? ""}>
          {help}
        </Text>
      )}
      <FieldError className={styles.error ?? ""} />
    </AriaTextField>
  );
}

export interface Choice<Value extends string> {
  value: Value;
  label: string;
}

export interface SelectProps<Value extends string> {
  label: string;
  choices: readonly Choice<Value>[];
  value: Value;
  onChange: (value: Value) => void;
  hideLabel?: boolean;
  isDisabled?: boolean;
  /** Before the words of what is chosen. */
  icon?: ReactNode;
}

/** One of several. */
export function Select<Value extends string>(props: SelectProps<Value>) {
  const { label, choices, value, onChange, hideLabel = false, isDisabled = false, icon } = props;
  return (
    <AriaSelect
      className={styles.field ?? ""}
      value={value}
      onChange={(key) => onChange(key as Value)}
      isDisabled={isDisabled}
    >
      <Label className={(hideLabel ? styles.unseen : styles.label) ?? ""}>{label}</Label>
      <Button className={styles.select ?? ""}>
        {icon}
        {/* What is chosen belongs to the button's name, as the label does. */}
        <SelectValue className={styles.chosen ?? ""}>
          {choices.find((choice) => choice.value === value)?.label ?? value}
        </SelectValue>
        <ChevronDown size={16} aria-hidden />
      </Button>
      <Popover className={styles.popover ?? ""}>
        <ListBox items={choices} className={styles.options ?? ""}>
          {(choice) => (
            <ListBoxItem id={choice.value} className={styles.option ?? ""}>
              {choice.label}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </AriaSelect>
  );
}
