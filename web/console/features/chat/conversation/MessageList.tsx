import { ArrowDown } from "lucide-react";
import { type UIEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type Components, Virtuoso, type VirtuosoHandle } from "react-virtuoso";

import { Button } from "../../../ui/Button";
import { Loading } from "../../../ui/states";
import { Elsewhere } from "./Elsewhere";
import type { ConversationState, ConversationStore } from "./ConversationStore";
import styles from "./conversation.module.css";
import { MessageRow } from "./MessageRow";
import { placeOf, shown, type Step } from "./path";
import { moved, placesOf } from "./places";
import { useSought } from "./useSought";

/** Beyond the window, in pixels: what is scrolled to is there already. */
const AHEAD = { top: 1_200, bottom: 400 };

/** So near to the end, in pixels, is at the end. */
const NEAR_THE_END = 80;

interface Around {
  store: ConversationStore;
  fetchingOlder: boolean;
  /** The message that was looked for, as it is shown. */
  marked: string | null;
}

const PARTS: Components<Step, Around> = {
  Header: ({ context }) => (
    <div className={styles.beginning}>{context.fetchingOlder && <Loading label="Loading older messages" />}</div>
  ),
  Footer: () => <div className={styles.end} />,
};

/** The messages of the active path: the newest first, older ones as one scrolls to them. */
export function MessageList({ store, state }: { store: ConversationStore; state: ConversationState }) {
  const { path, fetchingOlder, sent } = state;
  const list = useRef<VirtuosoHandle>(null);
  const [atEnd, setAtEnd] = useState(true);
  const steps = useMemo(() => shown(path.steps), [path.steps]);
  const [places, setPlaces] = useState(() => placesOf(steps));
  if (places.steps !== steps) {
    setPlaces(moved(places, steps));
  }
  const sought = useSought(store);
  const at = sought?.place === "here" ? placeOf(sought.id, path, steps) : -1;
  const marked = steps[at]?.id ?? null;
  const around = useMemo(() => ({ store, fetchingOlder, marked }), [store, fetchingOlder, marked]);

  const toEnd = useCallback((behavior: "auto" | "smooth" = "auto") => {
    list.current?.scrollToIndex({ index: "LAST", align: "end", behavior });
  }, []);

  // Who is at the end stays there, whatever grows, until they scroll up.
  const stays = useRef(true);
  const top = useRef(0);
  const noteScroll = ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }: UIEvent<HTMLElement>) => {
    if (scrollHeight - scrollTop - clientHeight < NEAR_THE_END) {
      stays.current = true;
    } else if (scrollTop < top.current) {
      stays.current = false;
    }
    top.current = scrollTop;
  };
  const turn = sought?.turn ?? 0;
  useEffect(() => {
    stays.current = marked === null;
  }, [marked, turn]);

  // Whoever says something wants to see what comes of it.
  useEffect(() => {
    if (sent > 0) {
      toEnd();
    }
  }, [sent, toEnd]);

  if (steps.length === 0) {
    return (
      <div className={styles.middle}>
        <p className={styles.muted}>Nothing was said here yet. Ask something below.</p>
      </div>
    );
  }
  return (
    <div className={styles.messages}>
      {sought?.place === "elsewhere" && <Elsewhere sought={sought} store={store} />}
      <Virtuoso<Step, Around>
        // Begun anew where a message was looked for: while older ones are put before it, nobody can be led to it.
        key={turn}
        ref={list}
        className={styles.list ?? ""}
        role="log"
        aria-label="Messages"
        aria-live="off"
        data={steps}
        context={around}
        components={PARTS}
        computeItemKey={(_, { id }) => id}
        itemContent={(_, { id }, { store, marked }) => <MessageRow id={id} store={store} isMarked={id === marked} />}
        firstItemIndex={places.first}
        initialTopMostItemIndex={at >= 0 ? { index: at, align: "center" } : { index: "LAST", align: "end" }}
        increaseViewportBy={AHEAD}
        atBottomThreshold={NEAR_THE_END}
        atBottomStateChange={setAtEnd}
        onScroll={noteScroll}
        totalListHeightChanged={() => stays.current && toEnd()}
        startReached={() => void store.fetchOlder()}
      />
      {!atEnd && (
        <div className={styles.newest}>
          <Button onPress={() => toEnd("smooth")}>
            <ArrowDown size={16} aria-hidden />
            To the newest
          </Button>
        </div>
      )}
    </div>
  );
}
