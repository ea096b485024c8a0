import { useCallback, useEffect, useRef } from "react";
import { type NavigateOptions, useSearchParams } from "react-router";

/** What each name is to stand for from now on; empty, it is taken away. */
export type Changes = Readonly<Record<string, string | readonly string[] | null>>;

/** The query of an address with these changes; all else in it stays. */
export function changed(address: URLSearchParams, changes: Changes): URLSearchParams {
  const next = new URLSearchParams(address);
  for (const [name, values] of Object.entries(changes)) {
    next.delete(name);
    for (const value of [values ?? []].flat()) {
      if (value !== "") {
        next.append(name, value);
      }
    }
  }
  return next;
}

/**
 * What the address of a page asks for, and what changes that, in place unless `options` say otherwise. Changes that come
 * before the page is rendered anew build on each other; React Router gives each of them what was rendered last.
 */
export function useAddress(): [URLSearchParams, (changes: Changes, options?: NavigateOptions) => void] {
  const [address, setAddress] = useSearchParams();
  const latest = useRef(address);
  useEffect(() => {
    latest.current = address;
  }, [address]);
  const change = useCallback(
    (changes: Changes, options: NavigateOptions = {}) => {
      latest.current = changed(latest.current, changes);
      // At once: as a transition, which navigation is, a box that was checked would seem unchecked for a while.
      setAddress(latest.current, { replace: true, flushSync: true, ...options });
    },
    [setAddress],
  );
  return [address, change];
}
