import { useEffect, useMemo, useSyncExternalStore } from "react";

import type { Filter } from "./filter";
import { type ListState, type SessionList, sessionList } from "./lists";

/** The list with this filter; it is looked at anew whenever the page is come back to, or the tab. */
export function useSessions(filter: Filter): ListState & Pick<SessionList, "more" | "refresh"> {
  const key = JSON.stringify(filter);
  const list = useMemo(() => sessionList(JSON.parse(key) as Filter), [key]);
  const state = useSyncExternalStore(list.subscribe, list.snapshot);
  useEffect(() => {
    void list.refresh();
    const seen = (): void => {
      if (document.visibilityState === "visible") {
        void list.refresh();
      }
    };
    document.addEventListener("visibilitychange", seen);
    return () => document.removeEventListener("visibilitychange", seen);
  }, [list]);
  return { ...state, more: list.more, refresh: list.refresh };
}
