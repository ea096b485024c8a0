import { useState } from "react";

import { Button } from "../../../ui/Button";
import { Select } from "../../../ui/fields";
import { choices, STAGES, TYPES } from "../words";
import { type Condition, CONDITIONS, DEFAULT_ORDER, ORDERS } from "./filter";
import { LaterField } from "./LaterField";
import styles from "./library.module.css";
import { ProjectPicker } from "./ProjectPicker";

export interface FiltersProps {
  address: URLSearchParams;
  onAsk: (what: Condition | "order", value: string) => void;
  onClear: () => void;
}

const RARE: readonly Condition[] = ["project", "organization", "label"];

/** Which prompts are listed, and how. */
export function Filters({ address, onAsk, onClear }: FiltersProps) {
  const hasRare = RARE.some((condition) => address.has(condition));
  const [isOpen, setOpen] = useState(hasRare);
  const select = <Value extends string>(what: Condition, label: string, any: string, words: Record<Value, string>) => (
    <Select
      label={label}
      hideLabel
      value={address.get(what) ?? ""}
      choices={[{ value: "", label: any }, ...choices(words)]}
      onChange={(value) => onAsk(what, value)}
    />
  );
  const typed = (what: Condition, label: string, hideLabel = false) => (
    <LaterField
      label={label}
      hideLabel={hideLabel}
      value={address.get(what) ?? ""}
      onChange={(value) => onAsk(what, value)}
    />
  );
  return (
    <search className={styles.filters} aria-label="Prompts">
      <div className={styles.bar}>
        <div className={styles.text}>{typed("text", "Search by name", true)}</div>
        {select("type", "Type", "Any type", TYPES)}
        {select("stage", "Stage", "Any stage", STAGES)}
        {select("enabled", "Enabled", "Enabled or not", { yes: "Enabled", no: "Not enabled" })}
        <Select
          label="Order"
          hideLabel
          value={address.get("order") ?? DEFAULT_ORDER}
          choices={choices(ORDERS)}
          onChange={(value) => onAsk("order", value)}
        />
        <Button kind="quiet" aria-expanded={isOpen} onPress={() => setOpen(!isOpen)}>
          {isOpen ? "Fewer filters" : "More filters"}
        </Button>
        {CONDITIONS.some((condition) => address.has(condition)) && (
          <Button kind="quiet" onPress={onClear}>
            Clear
          </Button>
        )}
      </div>
      {isOpen && (
        <div className={styles.bar}>
          <ProjectPicker
            none="Any project"
            later
            value={address.get("project") ?? ""}
            onChange={(value) => onAsk("project", value)}
          />
          {typed("organization", "Organization")}
          {typed("label", "Label")}
        </div>
      )}
    </search>
  );
}
