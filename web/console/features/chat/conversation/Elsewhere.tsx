import { useCommand } from "../../../api/commands";
import { Button } from "../../../ui/Button";
import type { ConversationStore } from "./ConversationStore";
import styles from "./conversation.module.css";
import { ConversationGoToDocument } from "./documents.generated";
import type { Sought } from "./useSought";

/** Of a message that is in another version of the conversation, that it is, and the way there. */
export function Elsewhere({ sought, store }: { sought: Sought; store: ConversationStore }) {
  const { send, sending } = useCommand(ConversationGoToDocument);
  const show = async () => {
    const input = { sessionId: store.sessionId, messageId: sought.id, clientKey: crypto.randomUUID() };
    if (await send({ input })) {
      await store.renew();
      sought.again();
    }
  };
  return (
    <div className={styles.elsewhere} role="status">
      <p>The message that you look for is in another version of this conversation.</p>
      <Button onPress={() => void show()} isDisabled={sending}>
        Show that version
      </Button>
    </div>
  );
}
