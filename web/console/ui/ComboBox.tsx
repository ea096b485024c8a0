import { ChevronDown } from "lucide-react";
import {
  ComboBox as AriaComboBox,
  Button,
  Group,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  ListLayout,
  Popover,
  Virtualizer,
} from "react-aria-components";

import type { Choice } from "./fields";
import styles from "./ComboBox.module.css";
import fields from "./fields.module.css";

export interface ComboBoxProps<Value extends string> {
  label: string;
  choices: readonly Choice<Value>[];
  value: Value;
  onChange: (value: Value) => void;
}

/** One of very many, which is found by typing a part of it. */
export function ComboBox<Value extends string>({ label, choices, value, onChange }: ComboBoxProps<Value>) {
  return (
    <AriaComboBox
      className={fields.field ?? ""}
      defaultItems={choices}
      value={value}
      onChange={(key) => key !== null && onChange(key as Value)}
      menuTrigger="focus"
    >
      <Label className={fields.label ?? ""}>{label}</Label>
      <Group className={styles.group ?? ""}>
        <Input className={styles.input ?? ""} />
        <Button className={styles.opener ?? ""}>
          <ChevronDown size={16} aria-hidden />
        </Button>
      </Group>
      <Popover className={fields.popover ?? ""}>
        <Virtualizer layout={ListLayout} layoutOptions={{ rowSize: 32, padding: 4 }}>
          <ListBox<Choice<Value>>
            className={styles.options ?? ""}
            renderEmptyState={() => <p className={styles.none}>None is called so.</p>}
          >
            {({ value, label }) => (
              <ListBoxItem id={value} textValue={label} className={fields.option ?? ""}>
                {label}
              </ListBoxItem>
            )}
          </ListBox>
        </Virtualizer>
      </Popover>
    </AriaComboBox>
  );
}
