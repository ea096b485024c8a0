const HOME = "/chat";

/**
 * Where to go once signed in: what `to` names, where that is a page of this console, and else its first one. A link from
 * elsewhere could name anything.
 */
export function destination(to: string | null): string {
  const named = to?.startsWith("/") && URL.canParse(to, location.origin) ? new URL(to, location.origin) : null;
  // A path that begins with two slashes, which `/.//host` has as well, is another site's to whoever reads it anew.
  if (named?.origin !== location.origin || named.pathname.startsWith("//") || named.pathname === "/sign-in") {
    return HOME;
  }
  return named.pathname + named.search + named.hash;
}
