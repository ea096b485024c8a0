/** Parts of the console that could not be fetched: a new release has others, and an open page knows the old names. */
const missing = new WeakSet<Error>();

/** Take note of them, for as long as the page lives. */
export function noteMissing(): void {
  addEventListener("vite:preloadError", ({ payload }) => missing.add(payload));
}

/** Whether that is what went wrong. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && missing.has(error);
}
