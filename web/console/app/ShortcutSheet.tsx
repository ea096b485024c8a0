import { Fragment } from "react";

import { Dialog } from "../ui/Dialog";
import styles from "./ShortcutSheet.module.css";
import { useShortcuts } from "./shortcuts";

const ESCAPE = { keys: "Escape", label: "Close what is open, or leave a field" };

/** All keys that do something on the page as it is. */
export function ShortcutSheet({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const shortcuts = useShortcuts();
  return (
    <Dialog title="Keyboard shortcuts" isOpen={isOpen} onClose={onClose}>
      <dl className={styles.sheet}>
        {[...shortcuts, ESCAPE].map(({ keys, label }) => (
          <div key={keys} className={styles.line}>
            <dt>{label}</dt>
            <dd>
              {keys.split(" ").map((key, index) => (
                <Fragment key={index}>
                  {index > 0 && " then "}
                  <kbd className={styles.key}>{key}</kbd>
                </Fragment>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
