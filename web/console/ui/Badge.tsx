import type { ReactNode } from "react";

import styles from "./Badge.module.css";

export type Tone = "neutral" | "info" | "success" | "warning" | "danger";

/** A word on how something stands; the tone only adds to it. */
export function Badge({ tone = "neutral", children }: { tone?: Tone; children: ReactNode }) {
  return <span className={`${styles.badge} ${styles[tone]}`}>{children}</span>;
}
