import { type KeyboardEvent, type ReactNode, useEffect, useRef } from "react";

import styles from "./approvals.module.css";

/** Steps through the list, as arrow keys do. */
const STEPS: Readonly<Record<string, number>> = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

/** Whether a key goes into a text. */
function isTyping(target: EventTarget): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}

/**
 * What is to be decided, one below the other. Keys go from one to the next while one of them has the focus; when that one
 * goes, the next in its place has it.
 */
export function Items({ label, ids, children }: { label: string; ids: string; children: ReactNode }) {
  const list = useRef<HTMLUListElement>(null);
  const place = useRef<number | null>(null);

  const items = () => [...(list.current?.querySelectorAll("article") ?? [])];
  const step = (event: KeyboardEvent) => {
    const by = STEPS[event.key];
    if (by === undefined || isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const all = items();
    const at = all.findIndex((item) => item.contains(document.activeElement));
    event.preventDefault();
    all[Math.min(Math.max(at + by, 0), all.length - 1)]?.focus();
  };

  useEffect(() => {
    const all = items();
    if (place.current !== null && document.activeElement === document.body) {
      all[Math.min(place.current, all.length - 1)]?.focus();
    }
  }, [ids]);

  return (
    <ul
      ref={list}
      aria-label={label}
      className={styles.items}
      onKeyDown={step}
      onFocus={() => {
        place.current = items().findIndex((item) => item.contains(document.activeElement));
      }}
      onBlur={({ relatedTarget }) => {
        // Without a next one it went with its item, or the window lost it: the place stays.
        if (relatedTarget !== null && !list.current?.contains(relatedTarget)) {
          place.current = null;
        }
      }}
    >
      {children}
    </ul>
  );
}

export interface ItemProps {
  /** The id of its heading. */
  labelledBy: string;
  onApprove?: (() => void) | undefined;
  onReject?: (() => void) | undefined;
  children: ReactNode;
}

/** One that is to be decided: `a` approves it and `r` rejects it while it has the focus. */
export function Item({ labelledBy, onApprove, onReject, children }: ItemProps) {
  const decide = (event: KeyboardEvent) => {
    if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey || event.repeat) {
      return;
    }
    const decision = event.key === "a" ? onApprove : event.key === "r" ? onReject : undefined;
    if (decision) {
      event.preventDefault();
      decision();
    }
  };
  return (
    <li>
      <article tabIndex={0} aria-labelledby={labelledBy} className={styles.item} onKeyDown={decide}>
        {children}
      </article>
    </li>
  );
}
