import styles from "./Tiles.module.css";

export interface Tile {
  name: string;
  value: string;
  /** More about it, in small letters. */
  detail?: string | undefined;
}

/** The sums of what is drawn below. */
export function Tiles({ label, tiles }: { label: string; tiles: readonly Tile[] }) {
  return (
    <dl className={styles.tiles} aria-label={label}>
      {tiles.map(({ name, value, detail }) => (
        <div key={name} className={styles.tile}>
          <dt>{name}</dt>
          <dd className={styles.value}>{value}</dd>
          {detail && <dd className={styles.detail}>{detail}</dd>}
        </div>
      ))}
    </dl>
  );
}
