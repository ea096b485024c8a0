import { X } from "lucide-react";
import {
  Text,
  UNSTABLE_Toast as Toast,
  UNSTABLE_ToastContent as ToastContent,
  UNSTABLE_ToastQueue as ToastQueue,
  UNSTABLE_ToastRegion as ToastRegion,
} from "react-aria-components";

import type { Told } from "../api/errors";
import { Button } from "./Button";
import styles from "./toasts.module.css";

interface Shown extends Told {
  kind: "note" | "failure";
  /** Of a failure after which one may ask again. */
  again?: (() => void) | undefined;
}

const SHOWN_MS = 6_000;

const queue = new ToastQueue<Shown>({ maxVisibleToasts: 4 });

/** Tells what happened, at the edge of the page. */
export const toast = {
  /** Something was done, or should be known; it goes by itself. */
  note(title: string): void {
    queue.add({ kind: "note", title, detail: null, retry: false }, { timeout: SHOWN_MS });
  },

  /** Something was not done; it stays until it was read. Whether it is to be done again, where that can be asked for. */
  failure(told: Told, canRetry = false): Promise<boolean> {
    return new Promise((resolve) => {
      const again = canRetry && told.retry ? () => resolve(true) : undefined;
      queue.add({ ...told, kind: "failure", again }, { onClose: () => resolve(false) });
    });
  },
};

/** Where toasts are shown: once in the application. */
export function Toasts() {
  return (
    <ToastRegion queue={queue} className={styles.region ?? ""}>
      {({ toast: { content, key, ...rest } }) => (
        <Toast toast={{ content, key, ...rest }} className={`${styles.toast} ${styles[content.kind]}`}>
          <ToastContent className={styles.content ?? ""}>
            <Text slot="title">{content.title}</Text>
            {content.detail && (
              <Text slot="description" className={styles.detail ?? ""}>
                {content.detail}
              </Text>
            )}
          </ToastContent>
          {content.again && (
            <Button
              kind="quiet"
              onPress={() => {
                content.again?.();
                queue.close(key);
              }}
            >
              Retry
            </Button>
          )}
          <Button kind="quiet" icon slot="close" aria-label="Dismiss">
            <X size={16} aria-hidden />
          </Button>
        </Toast>
      )}
    </ToastRegion>
  );
}
