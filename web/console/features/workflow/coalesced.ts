/** The same, never twice at a time: asked for while it is under way, it is done once more after that. */
export function coalesced(act: () => Promise<unknown>): () => Promise<unknown> {
  let acting: Promise<unknown> | null = null;
  let again = false;
  const run = (): Promise<unknown> => {
    again = acting !== null;
    acting ??= act().finally(() => {
      acting = null;
      if (again) {
        void run();
      }
    });
    return acting;
  };
  return run;
}
