import { Library, SendHorizontal, Square } from "lucide-react";
import { useState } from "react";

import { useCommand } from "../../../api/commands";
import { Button } from "../../../ui/Button";
import { AnswerCancelDocument } from "../answering/documents.generated";
import { AttachButton, AttachmentDrop } from "../parts/AttachmentDrop";
import { UploadList } from "../parts/UploadList";
import { useUploads } from "../parts/useUploads";
import { Choices } from "./Choices";
import { isReadable, readable } from "./chunks";
import styles from "./composer.module.css";
import type { ConversationSessionFragment } from "./documents.generated";
import { changeDraft, draftOf, useDraft } from "./drafts";
import { GrowingText } from "./GrowingText";
import { PromptPicker } from "./PromptPicker";
import type { Sent } from "./sending";
import { toolsOf } from "./tools";
import { Unsent } from "./Unsent";
import { useSending } from "./useSending";

export interface ComposerProps {
  sessionId: string | null;
  session: ConversationSessionFragment | null;
  /** The last message that is shown: what is said answers it. */
  leafId: string | null;
  onSent: (sent: Sent) => void;
}

/** Where one says something, and chooses whom to ask and with what. */
export function Composer({ sessionId, session, leafId, onSent }: ComposerProps) {
  const [draft, change] = useDraft(sessionId);
  const [picking, setPicking] = useState(false);
  const uploads = useUploads();
  const waiting = uploads.uploads.filter(({ state }) => state === "waiting").map(({ file }) => file);
  const choice = JSON.stringify([draft.text, draft.model, draft.tools, draft.approving, waiting.map(nameAndSize)]);
  const running = session?.activeRun ?? null;

  const sending = useSending({
    onAttempt: (input) => change({ attempt: { choice, input } }),
    onRefused: () => change({ attempt: null }),
    onSent(sent) {
      const { model, tools, approving } = draftOf(sessionId);
      change({ text: "", attempt: null });
      if (sent.session && sessionId === null) {
        changeDraft(sent.session.id, { model, tools, approving });
      }
      onSent(sent);
      if (sent.userMessage) {
        void uploads.start(sent.userMessage.id);
      }
    },
  });

  const ask = async () => {
    if (draft.text.trim() === "" || sending.state === "sending") {
      return;
    }
    if (draft.attempt?.choice === choice) {
      sending.send(draft.attempt.input);
      return;
    }
    const documentChunks = await readable(waiting);
    sending.send({
      sessionId,
      content: draft.text,
      model: draft.model,
      // Behind an answer that is being written, where it stands is the server's to say.
      ...(running === null && leafId !== null && { parentMessageId: leafId }),
      ...toolsOf(draft),
      ...(documentChunks.length > 0 && { contextItems: { documentChunks } }),
    });
  };

  return (
    <div className={styles.place}>
      <AttachmentDrop onFiles={uploads.add}>
        <div className={styles.composer}>
          <Unsent sending={sending} />
          <UploadList {...uploads} />
          {waiting.some((file) => !isReadable(file)) && (
            <p className={styles.hint}>Models read texts alone. Other files are kept with the message.</p>
          )}
          <GrowingText
            label="Message"
            value={draft.text}
            onChange={(text) => change({ text })}
            onEnter={() => void ask()}
            placeholder="Ask something"
            isReadOnly={sending.state === "sending"}
            autoFocus
          />
          <div className={styles.bar}>
            <AttachButton onFiles={uploads.add} />
            <Button kind="quiet" icon aria-label="Prompts of the library" onPress={() => setPicking(true)}>
              <Library size={18} aria-hidden />
            </Button>
            {/* Until the session is known, the server's model would seem chosen, and choosing it would change nothing. */}
            {(sessionId === null || session !== null) && <Choices draft={draft} change={change} session={session} />}
            <span className={styles.space} />
            {running && <Stop runId={running.id} />}
            <Button
              kind="primary"
              icon
              aria-label={sending.state === "sending" ? "Sending" : "Send"}
              onPress={() => void ask()}
              isDisabled={draft.text.trim() === "" || sending.state === "sending"}
            >
              <SendHorizontal size={18} aria-hidden />
            </Button>
          </div>
        </div>
      </AttachmentDrop>
      <p className={styles.unseen} role="status">
        {running ? "An answer is being written." : ""}
      </p>
      {picking && (
        <PromptPicker
          onClose={() => setPicking(false)}
          onInsert={(text) => change({ text: draft.text === "" ? text : `${draft.text}\n${text}` })}
          onAsk={(templateId, variables) =>
            sending.execute({ templateId, variables, sessionId, model: draft.model, ...toolsOf(draft) })
          }
        />
      )}
    </div>
  );
}

/** Ends the answer that is being written; what was written is kept. */
function Stop({ runId }: { runId: string }) {
  const { send, sending } = useCommand(AnswerCancelDocument);
  return (
    <Button onPress={() => void send({ input: { runId, clientKey: crypto.randomUUID() } })} isDisabled={sending}>
      <Square size={14} aria-hidden />
      Stop
    </Button>
  );
}

function nameAndSize({ name, size, lastModified }: File): [string, number, number] {
  return [name, size, lastModified];
}
