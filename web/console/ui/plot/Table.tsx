import { Link } from "react-aria-components";

import { whole } from "../numbers";
import type { Figures } from "./figures";
import styles from "./Plot.module.css";

/** Numbers in rows and columns, exactly as the API tells them. */
export function Table({ caption, figures: { heads, rows, columns } }: { caption: string; figures: Figures }) {
  return (
    // What is wider than the page can be scrolled, by the keyboard too.
    <div className={styles.scroller} role="region" aria-label={caption} tabIndex={0}>
      <table className={styles.table}>
        <caption className={styles.hidden}>{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{heads[0]}</th>
            {columns.map(({ id, name }) => (
              <th key={id} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ label, cells, to }, place) => (
            <tr key={cells.join()}>
              <th scope="row">{to ? <Link href={to}>{label}</Link> : label}</th>
              {columns.map(({ id, values }) => (
                <td key={id}>{shown(values[place] ?? null)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function shown(value: string | null): string {
  if (value === null) {
    return "–";
  }
  return /^\d+$/.test(value) ? whole(value) : value;
}
