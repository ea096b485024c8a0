import type { KeyboardEvent } from "react";
import { TextArea, TextField } from "react-aria-components";

import styles from "./composer.module.css";

export interface GrowingTextProps {
  label: string;
  value: string;
  onChange: (text: string) => void;
  /** Enter; with Shift it breaks the line. */
  onEnter: () => void;
  onEscape?: () => void;
  placeholder?: string;
  isReadOnly?: boolean;
  autoFocus?: boolean;
}

/** Text of several lines that takes as much room as it needs, up to a part of the window. */
export function GrowingText(props: GrowingTextProps) {
  const { label, value, onChange, onEnter, onEscape, placeholder, isReadOnly = false, autoFocus = false } = props;
  const pressed = (event: KeyboardEvent) => {
    // An Enter that ends the composition of a character belongs to that.
    if (event.key === "Enter" && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      onEnter();
    } else if (event.key === "Escape") {
      onEscape?.();
    }
  };
  return (
    <TextField
      aria-label={label}
      value={value}
      onChange={onChange}
      isReadOnly={isReadOnly}
      className={styles.growing ?? ""}
    >
      <TextArea
        className={styles.text ?? ""}
        rows={1}
        placeholder={placeholder ?? ""}
        onKeyDown={pressed}
        autoFocus={autoFocus}
      />
    </TextField>
  );
}
