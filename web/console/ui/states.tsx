import { CircleAlert } from "lucide-react";
import { type ReactNode, useEffect } from "react";
import { ProgressBar } from "react-aria-components";

import { connection, onConnection } from "../api/connection";
import { isUnreached, tell } from "../api/errors";
import { Button } from "./Button";
import styles from "./states.module.css";

/** There is nothing here yet: says what to do next. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className={styles.state}>
      <h2>{title}</h2>
      {children && <p className={styles.detail}>{children}</p>}
      {action}
    </div>
  );
}

/** Something could not be shown: says what happened, and asks again; by itself once the server is there again. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: (() => void) | undefined }) {
  const { title, detail } = tell(error);
  const unreached = isUnreached(error);
  useEffect(
    () => (unreached ? onConnection(() => connection() !== "reconnecting" && onRetry?.()) : undefined),
    [unreached, onRetry],
  );
  return (
    <div className={styles.state} role="alert">
      <CircleAlert size={24} aria-hidden />
      <h2>{title}</h2>
      {detail && <p className={styles.detail}>{detail}</p>}
      {onRetry && <Button onPress={onRetry}>Retry</Button>}
    </div>
  );
}

/** It is being fetched. */
export function Loading({ label = "Loading" }: { label?: string }) {
  return (
    <ProgressBar isIndeterminate aria-label={label} className={styles.loading ?? ""}>
      <span className={styles.spinner} />
    </ProgressBar>
  );
}
