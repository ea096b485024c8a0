import { type KeyboardEvent, useRef } from "react";
import { type Components, Virtuoso, type VirtuosoHandle } from "react-virtuoso";

import { Button } from "../../../ui/Button";
import { Empty, Failure, Loading } from "../../../ui/states";
import type { Filter } from "./filter";
import { SessionRow, type SessionRowProps } from "./SessionRow";
import styles from "./sessions.module.css";
import { useSessions } from "./useSessions";

/** Of a row, in pixels, as sessions.module.css has it: the list need not measure any. */
const ROW_HEIGHT = 60;

/** Rows that are made before they are seen. */
const AHEAD_PIXELS = 600;

export interface SessionsListProps extends Pick<SessionRowProps, "search" | "onTask"> {
  filter: Filter;
  selected: string | null;
  /** List all of them. */
  onClear: () => void;
}

/** The sessions that fit the filter, last changed first; more of them come as it is scrolled. */
export function SessionsList({ filter, selected, search, onTask, onClear }: SessionsListProps) {
  const { ids, hasMore, loading, error, more, refresh } = useSessions(filter);
  const list = useRef<VirtuosoHandle>(null);

  if (ids.length === 0) {
    if (error !== null) {
      return <Failure error={error} onRetry={() => void refresh()} />;
    }
    return loading || hasMore ? (
      <Loading label="Loading the conversations" />
    ) : (
      <Nothing filter={filter} onClear={onClear} />
    );
  }

  const step = (event: KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const at = indexOf(event.target);
    if (by !== undefined && at !== null) {
      event.preventDefault();
      const index = Math.max(0, Math.min(at + by, ids.length - 1));
      list.current?.scrollIntoView({ index, done: () => focusRow(index) });
    }
  };

  return (
    <div className={styles.list} onKeyDown={step}>
      <Virtuoso
        ref={list}
        data={ids}
        computeItemKey={(_, id) => id}
        fixedItemHeight={ROW_HEIGHT}
        increaseViewportBy={AHEAD_PIXELS}
        endReached={() => void more()}
        components={COMPONENTS}
        context={{ loading, error, more }}
        itemContent={(_, id) => <SessionRow id={id} isSelected={id === selected} search={search} onTask={onTask} />}
      />
    </div>
  );
}

function Nothing({ filter, onClear }: Pick<SessionsListProps, "filter" | "onClear">) {
  const isFiltered = filter.status.length > 0 || filter.tags.length > 0;
  return isFiltered ? (
    <Empty title="No conversation fits" action={<Button onPress={onClear}>Show all</Button>}>
      None stands so and has all of these tags.
    </Empty>
  ) : (
    <Empty title="No conversations yet">Begin one with New: it will be listed here.</Empty>
  );
}

interface Progress {
  loading: boolean;
  error: unknown;
  more: () => Promise<void>;
}

const COMPONENTS: Components<string, Progress> = {
  List: ({ style, children, ref, ...rest }) => (
    <div {...rest} ref={ref} style={style} role="list" aria-label="Conversations">
      {children}
    </div>
  ),
  Item: ({ children, style, ...places }) => (
    <div
      style={style}
      role="listitem"
      data-index={places["data-index"]}
      data-item-index={places["data-item-index"]}
      data-known-size={places["data-known-size"]}
    >
      {children}
    </div>
  ),
  Footer: ({ context: { loading, error, more } }) => {
    if (error !== null) {
      return <Failure error={error} onRetry={() => void more()} />;
    }
    return loading && <Loading label="Loading more conversations" />;
  },
};

function indexOf(target: EventTarget): number | null {
  const row = target instanceof HTMLAnchorElement ? target.closest<HTMLElement>("[data-item-index]") : null;
  return row ? Number(row.dataset["itemIndex"]) : null;
}

function focusRow(index: number): void {
  document.querySelector<HTMLElement>(`[data-item-index="${index}"] a`)?.focus();
}
