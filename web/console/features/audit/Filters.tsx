import { useState } from "react";

import { Button } from "../../ui/Button";
import { Select, TextField } from "../../ui/fields";
import { type FilterName, FILTERS, fromField, toField } from "./filter";
import { inWords, isKind, KINDS } from "./kinds";
import styles from "./AuditPage.module.css";

const TEXTS: readonly { name: FilterName; label: string }[] = [
  { name: "actor", label: "Done by" },
  { name: "session", label: "Session" },
  { name: "project", label: "Project" },
  { name: "correlation", label: "Correlation id" },
];

const MOMENTS: readonly { name: FilterName; label: string }[] = [
  { name: "from", label: "From" },
  { name: "to", label: "Before" },
];

const CHOICES = [{ value: "", label: "All kinds" }, ...KINDS.map((kind) => ({ value: kind, label: inWords(kind) }))];

export interface FiltersProps {
  params: URLSearchParams;
  onChange: (name: FilterName, value: string) => void;
  onClear: () => void;
}

/** What to show of all that happened. */
export function Filters({ params, onChange, onClear }: FiltersProps) {
  const kind = params.get("kind");
  return (
    <div role="search" aria-label="Events" className={styles.filters}>
      <Select
        label="Kind"
        choices={CHOICES}
        value={isKind(kind) ? kind : ""}
        onChange={(kind) => onChange("kind", kind)}
      />
      {TEXTS.map(({ name, label }) => (
        <TextFilter
          key={`${name} ${params.get(name) ?? ""}`}
          label={label}
          value={params.get(name) ?? ""}
          onChange={(value) => onChange(name, value.trim())}
        />
      ))}
      {MOMENTS.map(({ name, label }) => (
        <TextFilter
          key={`${name} ${params.get(name) ?? ""}`}
          label={label}
          type="datetime-local"
          value={toField(params.get(name))}
          onChange={(value) => onChange(name, fromField(value))}
        />
      ))}
      <Button onPress={onClear} isDisabled={FILTERS.every((name) => !params.get(name))}>
        Clear
      </Button>
    </div>
  );
}

interface TextFilterProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  type?: string;
}

/** Asks once one is done with it: with Enter, or elsewhere. */
function TextFilter({ label, value, onChange, type = "text" }: TextFilterProps) {
  const [text, setText] = useState(value);
  const commit = () => {
    if (text !== value) {
      onChange(text);
    }
  };
  return (
    <TextField
      label={label}
      type={type}
      value={text}
      onChange={setText}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === "Enter") {
          commit();
        }
        // Escape is the shell's: it leads out of the field.
        event.continuePropagation();
      }}
    />
  );
}
