import { type RefObject, useEffect, useRef } from "react";
import { useLocation } from "react-router";

/** The id of the element that pages are shown in. */
export const CONTENT = "content";

/** Put the focus on the page: its title, or all of it while there is none. */
export function focusPage(): void {
  const content = document.getElementById(CONTENT);
  const title = content?.querySelector("h1");
  title?.setAttribute("tabindex", "-1");
  (title ?? content)?.focus();
}

/**
 * Whoever goes to another page is there with the focus, and hears its title, as after a page of its own was loaded.
 * The answer is for a live region, in which the title is told.
 */
export function useArrival(): RefObject<HTMLDivElement | null> {
  const { pathname } = useLocation();
  const region = useRef<HTMLDivElement>(null);
  const left = useRef(pathname);

  useEffect(() => {
    if (left.current === pathname) {
      return;
    }
    left.current = pathname;
    // What still has the focus inside of the page keeps it: a list whose next entry was opened, a field that took it.
    const focused = document.activeElement;
    if (focused?.id === CONTENT || !document.getElementById(CONTENT)?.contains(focused)) {
      focusPage();
    }
  }, [pathname]);

  useEffect(() => {
    // The title comes with what the page shows, which may be later than the page.
    const watching = new MutationObserver(() => {
      if (region.current && region.current.textContent !== document.title) {
        region.current.textContent = document.title;
      }
    });
    watching.observe(document.head, { subtree: true, childList: true, characterData: true });
    return () => watching.disconnect();
  }, []);
  return region;
}
