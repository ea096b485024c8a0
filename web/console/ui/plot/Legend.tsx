import type { Form } from "./Chart";
import type { Drawn } from "./figures";
import { Dot, colour, dashes, fill } from "./marks";
import styles from "./Chart.module.css";

/** Which series is which; one alone is named by the plot's title. */
export function Legend({ form, series, prefix }: { form: Form; series: readonly Drawn[]; prefix: string }) {
  return series.length > 1 ? (
    <ul className={styles.legend} aria-label="Legend">
      {series.map(({ id, name, place }) => (
        <li key={id}>
          <Swatch form={form} place={place} prefix={prefix} />
          {name}
        </li>
      ))}
    </ul>
  ) : null;
}

/** What a series looks like. */
export function Swatch({ form, place, prefix }: { form: Form; place: number; prefix: string }) {
  return (
    <svg className={styles.swatch} width={form === "lines" ? 26 : 12} height={12} aria-hidden>
      {form !== "lines" ? (
        <rect width={12} height={12} rx={2} fill={fill(prefix, place)} stroke={colour(place)} strokeWidth={0.5} />
      ) : (
        <>
          <path d="M0 6h26" stroke={colour(place)} strokeWidth={2} {...dashes(place)} />
          <Dot place={place} cx={13} cy={6} />
        </>
      )}
    </svg>
  );
}
