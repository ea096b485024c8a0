/**
 * A list, last changed first, of which the beginning was read anew. What stood before the end of that page and is not in
 * it is gone; what stood behind stays. Null where they share nothing: too much has changed to be put together.
 */
export function withHead(known: readonly string[], page: readonly string[], isAll: boolean): readonly string[] | null {
  if (isAll) {
    return page;
  }
  const fresh = new Set(page);
  const shared = known.findLastIndex((id) => fresh.has(id));
  return shared < 0 ? null : [...page, ...known.slice(shared + 1)];
}
