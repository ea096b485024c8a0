import { RotateCw } from "lucide-react";

import { useCommand } from "../../../api/commands";
import { Button } from "../../../ui/Button";
import type { ConversationStore } from "./ConversationStore";
import styles from "./conversation.module.css";
import { type ConversationMessageFragment, ConversationRetryDocument } from "./documents.generated";

/** What is not whole, and can be asked for again. */
const UNFINISHED: readonly RunEndProps["run"]["status"][] = ["INTERRUPTED", "CANCELLED", "FAILED"];

export interface RunEndProps {
  message: ConversationMessageFragment;
  run: NonNullable<ConversationMessageFragment["run"]>;
  store: ConversationStore;
}

/** Of an answer that waits, that it does; one that did not come to its end can be asked for again. */
export function RunEnd({ message: { status, deletedAt }, run, store }: RunEndProps) {
  const { send, sending } = useCommand(ConversationRetryDocument);
  if (status === "PENDING" && run.waiting) {
    return <p className={styles.told}>Answered as soon as the answer before it is finished.</p>;
  }
  if ((status !== "FAILED" && status !== "CANCELLED") || deletedAt !== null || !UNFINISHED.includes(run.status)) {
    return null;
  }
  const retry = async () => {
    const retried = await send({ input: { runId: run.id, clientKey: crypto.randomUUID() } });
    if (retried) {
      store.accept([retried.message]);
    }
  };
  return (
    <div className={styles.told}>
      <Button onPress={() => void retry()} isDisabled={sending}>
        <RotateCw size={15} aria-hidden />
        Try again
      </Button>
    </div>
  );
}
