import { ArrowDown } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type Components, Virtuoso, type VirtuosoHandle } from "react-virtuoso";

import { Button } from "../../../ui/Button";
import { Loading } from "../../../ui/states";
import type { ConversationState, ConversationStore } from "./ConversationStore";
import styles from "./conversation.module.css";
import { MessageRow } from "./MessageRow";
import { shown, type Step } from "./path";
import { moved, placesOf } from "./places";

/** Beyond the window, in pixels: what is scrolled to is there already. */
const AHEAD = { top: 1_200, bottom: 400 };

/** So near to the end, in pixels, is at the end. */
const NEAR_THE_END = 80;

interface Around {
  store: ConversationStore;
  fetchingOlder: boolean;
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
  const around = useMemo(() => ({ store, fetchingOlder }), [store, fetchingOlder]);

  const toEnd = useCallback((behavior: "auto" | "smooth" = "auto") => {
    list.current?.scrollToIndex({ index: "LAST", align: "end", behavior });
  }, []);

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
      <Virtuoso<Step, Around>
        ref={list}
        className={styles.list ?? ""}
        role="log"
        aria-label="Messages"
        aria-live="off"
        data={steps}
        context={around}
        components={PARTS}
        computeItemKey={(_, { id }) => id}
        itemContent={(_, { id }, { store }) => <MessageRow id={id} store={store} />}
        firstItemIndex={places.first}
        initialTopMostItemIndex={steps.length - 1}
        increaseViewportBy={AHEAD}
        atBottomThreshold={NEAR_THE_END}
        atBottomStateChange={setAtEnd}
        followOutput={(isAtEnd) => (isAtEnd ? "auto" : false)}
        totalListHeightChanged={() => list.current?.autoscrollToBottom()}
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
