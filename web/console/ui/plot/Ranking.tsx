import { Link } from "react-aria-components";

import { whole } from "../numbers";
import type { Figures } from "./figures";
import styles from "./Plot.module.css";

/** What there is most of, by the first column, each with its number beside it. */
export function Ranking({ figures: { rows, columns }, most = 10 }: { figures: Figures; most?: number }) {
  const values = columns[0]?.values ?? [];
  const largest = Math.max(1, ...values.map(Number));
  return (
    <ol className={styles.ranking}>
      {rows.slice(0, most).map(({ label, cells, to }, place) => (
        <li key={cells.join()} className={styles.place}>
          {to ? <Link href={to}>{label}</Link> : <span>{label}</span>}
          <span className={styles.count}>{whole(values[place] ?? "0")}</span>
          <span className={styles.track}>
            <span
              className={styles.bar}
              style={{ display: "block", width: `${(Number(values[place]) / largest) * 100}%` }}
            />
          </span>
        </li>
      ))}
    </ol>
  );
}
