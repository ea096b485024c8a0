import { useEffect, useState } from "react";

import { TextField } from "../../../ui/fields";

const PAUSE_MS = 300;

export interface LaterFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  hideLabel?: boolean;
}

/** A line of text that is told of when the person pauses. */
export function LaterField({ label, value, onChange, hideLabel = false }: LaterFieldProps) {
  const [text, setText] = useState(value);
  const [told, setTold] = useState(value);
  const [seen, setSeen] = useState(value);
  if (value !== seen) {
    setSeen(value);
    // What this field told comes back to it: more may have been typed since. All else takes the place of what is typed.
    if (value !== told) {
      setTold(value);
      setText(value);
    }
  }
  useEffect(() => {
    if (text === told) {
      return undefined;
    }
    const later = setTimeout(() => {
      setTold(text);
      onChange(text);
    }, PAUSE_MS);
    return () => clearTimeout(later);
  }, [text, told, onChange]);
  return (
    <TextField
      label={label}
      hideLabel={hideLabel}
      {...(hideLabel && { placeholder: label })}
      value={text}
      onChange={setText}
      maxLength={255}
    />
  );
}
