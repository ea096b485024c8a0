import { Select, TextField } from "../../../ui/fields";
import type { PromptVariableType } from "../documents.generated";
import { typed } from "./values";

export interface ValueFieldProps {
  label: string;
  type: PromptVariableType;
  value: string;
  onChange: (value: string) => void;
  /** What no value means. */
  none: string;
  help?: string | undefined;
  /** Texts are likely to have several lines. */
  isLong?: boolean;
}

/** The value of a variable, in the way that its type is typed; it tells what is none of that type. */
export function ValueField({ label, type, value, onChange, none, help, isLong = false }: ValueFieldProps) {
  if (type === "BOOLEAN") {
    return (
      <Select
        label={label}
        value={value}
        choices={[
          { value: "", label: none },
          { value: "true", label: "true" },
          { value: "false", label: "false" },
        ]}
        onChange={onChange}
      />
    );
  }
  const read = typed(type, value);
  return (
    <TextField
      label={label}
      value={value}
      onChange={onChange}
      placeholder={none}
      {...(help && { help })}
      {...((type === "JSON" || (type === "TEXT" && (isLong || value.includes("\n")))) && { rows: 2 })}
      {...((type === "INTEGER" || type === "NUMBER") && { inputMode: "decimal" as const })}
      validationBehavior="aria"
      validate={() => (read.kind === "problem" ? read.problem : null)}
    />
  );
}
