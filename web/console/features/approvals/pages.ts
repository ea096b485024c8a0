import { useEffect, useEffectEvent, useRef } from "react";

export const PAGE = 25;
/** As long as one page of the server's is at most. */
export const LONGEST_PAGE = 100;

/** Read a list again whenever what awaits a decision has become something else since it was first shown. */
export function useReadAgain(awaited: string | undefined, read: () => Promise<unknown>): void {
  const known = useRef(awaited);
  // What cannot be read is told by the list itself.
  const onChange = useEffectEvent(() => void read().catch(() => undefined));
  useEffect(() => {
    if (known.current !== awaited) {
      known.current = awaited;
      onChange();
    }
  }, [awaited]);
}
