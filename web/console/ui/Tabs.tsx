import type { ReactNode } from "react";
import { Tabs as AriaTabs, Tab, TabList, TabPanel } from "react-aria-components";

import styles from "./Tabs.module.css";

export interface TabOf<Id extends string> {
  id: Id;
  label: string;
  content: ReactNode;
}

export interface TabsProps<Id extends string> {
  label: string;
  tabs: readonly TabOf<Id>[];
  selected?: Id;
  onSelect?: (id: Id) => void;
}

/** Several views of one thing, one at a time. */
export function Tabs<Id extends string>({ label, tabs, selected, onSelect }: TabsProps<Id>) {
  return (
    <AriaTabs
      className={styles.tabs ?? ""}
      {...(selected && { selectedKey: selected })}
      onSelectionChange={(key) => onSelect?.(key as Id)}
    >
      <TabList aria-label={label} className={styles.list ?? ""}>
        {tabs.map(({ id, label }) => (
          <Tab key={id} id={id} className={styles.tab ?? ""}>
            {label}
          </Tab>
        ))}
      </TabList>
      {tabs.map(({ id, content }) => (
        <TabPanel key={id} id={id} className={styles.panel ?? ""}>
          {content}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}
