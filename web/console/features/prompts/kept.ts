import { useEffect, useState } from "react";

/** Whoever signs in finds nothing under such names that is not theirs (`api/account.ts`). */
const PREFIX = "colloquy.prompts.";

function read<Value>(key: string, initial: Value): Value {
  const kept = sessionStorage.getItem(PREFIX + key);
  try {
    return kept === null ? initial : (JSON.parse(kept) as Value);
  } catch {
    return initial;
  }
}

/** A state that outlives a reload of the tab, and goes with it. A component keeps one key for as long as it is there. */
export function useKept<Value>(key: string, initial: Value) {
  const [value, set] = useState(() => read(key, initial));
  useEffect(() => {
    if (value === null) {
      sessionStorage.removeItem(PREFIX + key);
    } else {
      sessionStorage.setItem(PREFIX + key, JSON.stringify(value));
    }
  }, [key, value]);
  return [value, set] as const;
}
