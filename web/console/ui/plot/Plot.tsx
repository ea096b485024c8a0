import { ChevronRight, Download } from "lucide-react";
import { type ReactNode, useId } from "react";
import { Button as AriaButton, Disclosure, DisclosurePanel, Heading } from "react-aria-components";

import { save } from "../../api/files";
import { Button } from "../Button";
import { type Figures, fileOf } from "./figures";
import { Table } from "./Table";
import styles from "./Plot.module.css";

export interface PlotProps {
  title: string;
  figures: Figures;
  /** What one has to know to read it. */
  note?: ReactNode;
  /** Said in its place where there is nothing to draw. */
  empty: string | null;
  /** What the numbers are called in the table, such as “tokens”. */
  unit: string;
  children: ReactNode;
}

/** A picture of numbers, with the same numbers as a table and as a file. */
export function Plot({ title, figures, note, empty, unit, children }: PlotProps) {
  const id = useId();
  const name = `${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}.csv`;
  return (
    <section className={styles.plot} aria-labelledby={id}>
      <header className={styles.header}>
        <h3 id={id}>{title}</h3>
        <Button
          kind="quiet"
          icon
          aria-label={`Download “${title}” as CSV`}
          isDisabled={figures.rows.length === 0}
          onPress={() => save(new Blob([fileOf(figures)], { type: "text/csv;charset=utf-8" }), name)}
        >
          <Download size={16} aria-hidden />
        </Button>
      </header>
      {note && <p className={styles.note}>{note}</p>}
      {empty === null ? children : <p className={styles.empty}>{empty}</p>}
      {figures.rows.length > 0 && (
        <Disclosure className={styles.disclosure ?? ""}>
          <Heading level={4} className={styles.opener ?? ""}>
            <AriaButton slot="trigger" className={styles.trigger ?? ""}>
              <ChevronRight size={14} aria-hidden />
              Numbers<span className={styles.hidden}> of “{title}”</span>
            </AriaButton>
          </Heading>
          <DisclosurePanel>
            <Table caption={`${title}, ${unit}`} figures={figures} />
          </DisclosurePanel>
        </Disclosure>
      )}
    </section>
  );
}
