import type { ReactElement, ReactNode } from "react";
import { Menu as AriaMenu, MenuItem, MenuTrigger, Popover } from "react-aria-components";

import styles from "./Menu.module.css";

export interface Entry {
  id: string;
  label: string;
  icon?: ReactNode;
  onAction: () => void;
  isDisabled?: boolean;
  danger?: boolean;
}

/** What can be done with something, behind a button: `trigger`. */
export function Menu({ label, trigger, entries }: { label: string; trigger: ReactElement; entries: readonly Entry[] }) {
  return (
    <MenuTrigger>
      {trigger}
      <Popover className={styles.popover ?? ""}>
        <AriaMenu aria-label={label} className={styles.menu ?? ""}>
          {entries.map(({ id, label, icon, onAction, isDisabled = false, danger = false }) => (
            <MenuItem
              key={id}
              id={id}
              textValue={label}
              onAction={onAction}
              isDisabled={isDisabled}
              className={`${styles.item} ${danger ? styles.danger : ""}`}
            >
              {icon}
              {label}
            </MenuItem>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}
