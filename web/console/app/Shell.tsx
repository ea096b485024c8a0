import { useEffect, useState } from "react";
import { Outlet } from "react-router";

import { CONTENT, focusPage, useArrival } from "./arrival";
import { Nav } from "./Nav";
import { Reconnecting } from "./Reconnecting";
import { go } from "./router";
import { focusSearch } from "./searching";
import styles from "./Shell.module.css";
import { ShortcutSheet } from "./ShortcutSheet";
import { addShortcut, listenToKeys, useShortcut } from "./shortcuts";
import { PLACES } from "./places";

/** What stands around every page: where one can go, who one is, what keys do, and how the connection is. */
export function Shell() {
  const announced = useArrival();
  const [showsKeys, setShowsKeys] = useState(false);
  useKeys(() => setShowsKeys(true));
  return (
    <div className={styles.shell}>
      <a
        className={styles.skip}
        href={`#${CONTENT}`}
        onClick={(event) => {
          // The address stays that of the page.
          event.preventDefault();
          focusPage();
        }}
      >
        Skip to content
      </a>
      <Nav onShowKeys={() => setShowsKeys(true)} />
      <div className={styles.main}>
        <Reconnecting />
        <main id={CONTENT} className={styles.content} tabIndex={-1}>
          <Outlet />
        </main>
      </div>
      <div ref={announced} aria-live="polite" className={styles.announced} />
      <ShortcutSheet isOpen={showsKeys} onClose={() => setShowsKeys(false)} />
    </div>
  );
}

/** What keys do on every page, unless the page has its own. */
function useKeys(showKeys: () => void): void {
  useEffect(listenToKeys, []);
  useEffect(() => {
    const ends = PLACES.map(({ keys, label, to }) => addShortcut({ keys, label: `Go to ${label}`, run: () => go(to) }));
    return () => ends.forEach((end) => end());
  }, []);
  useShortcut("/", "Search", () => void focusSearch());
  useShortcut("n", "New conversation", () => go("/chat"));
  useShortcut("?", "Show the keys", showKeys);
}
