import { Button } from "../../../ui/Button";
import styles from "./composer.module.css";
import type { Sending } from "./useSending";

/** What came of sending where it was not sent, and what can be done about it. */
export function Unsent({ sending: { state, told, again, insist, dismiss } }: { sending: Sending }) {
  if (state === "busy") {
    return (
      <div className={styles.unsent} role="alert">
        <p>An answer is still being written, so this was not sent.</p>
        <Button onPress={() => insist("ENQUEUE")}>Send after it</Button>
        <Button onPress={() => insist("INTERRUPT")}>Stop it and send</Button>
      </div>
    );
  }
  if (told === null) {
    return null;
  }
  return (
    <div className={styles.unsent} role="alert">
      <p>
        {state === "lost" ? "It is not known whether this was sent. " : "This was not sent. "}
        {told.title} {told.detail}
      </p>
      {state === "lost" && <Button onPress={again}>Try again</Button>}
      <Button kind="quiet" onPress={dismiss}>
        Dismiss
      </Button>
    </div>
  );
}
