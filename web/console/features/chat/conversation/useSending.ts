import { useRef, useState } from "react";

import type { Told } from "../../../api/errors";
import type { ExecutePromptInput, SendMessageInput } from "./documents.generated";
import { executePrompt, type Outcome, type Sent, sendMessage } from "./sending";

/** What is sent, without the key that is made for it. */
export type Message = Omit<SendMessageInput, "clientKey">;
export type Prompt = Omit<ExecutePromptInput, "clientKey">;

type OnBusy = "ENQUEUE" | "INTERRUPT";

export interface Sending {
  state: "idle" | "sending" | "busy" | "refused" | "lost";
  told: Told | null;
  send: (message: Message | SendMessageInput) => void;
  execute: (prompt: Prompt) => void;
  /** Of what was refused because another answer is being written: have it wait for that, or stop that. */
  insist: (onBusy: OnBusy) => void;
  /** Send what got no answer once more, as it was: it is done once. */
  again: () => void;
  /** Do without what was not sent. */
  dismiss: () => void;
}

export interface SendingOptions {
  onSent: (sent: Sent) => void;
  /** Told of what is about to be sent, with its key. */
  onAttempt?: (input: SendMessageInput) => void;
  /** Told that nothing of it was stored. */
  onRefused?: () => void;
}

/** Sends one thing at a time, each once. */
export function useSending({ onSent, onAttempt, onRefused }: SendingOptions): Sending {
  const [{ state, told }, setStanding] = useState<Pick<Sending, "state" | "told">>({ state: "idle", told: null });
  const underWay = useRef(false);
  /** What was asked for last, to be asked for again. */
  const last = useRef<((onBusy?: OnBusy) => Promise<Outcome>) | null>(null);

  const run = async (ask: () => Promise<Outcome>) => {
    if (underWay.current) {
      return;
    }
    underWay.current = true;
    setStanding({ state: "sending", told: null });
    const outcome = await ask().finally(() => {
      underWay.current = false;
    });
    if (outcome.kind === "sent") {
      setStanding({ state: "idle", told: null });
      onSent(outcome.sent);
    } else {
      if (outcome.kind !== "lost") {
        onRefused?.();
      }
      setStanding({ state: outcome.kind, told: outcome.kind === "busy" ? null : outcome.told });
    }
  };

  const start = <Input extends SendMessageInput | ExecutePromptInput>(
    input: Input,
    ask: (input: Input) => Promise<Outcome>,
  ) => {
    let current: Input = { ...input, clientKey: input.clientKey ?? crypto.randomUUID() };
    last.current = (onBusy) => {
      if (onBusy) {
        // Another request than the one that was refused.
        current = { ...current, onBusy, clientKey: crypto.randomUUID() };
      }
      return ask(current);
    };
    void run(last.current);
  };

  return {
    state,
    told,
    send: (message) =>
      start<SendMessageInput>(message, (input) => {
        onAttempt?.(input);
        return sendMessage(input);
      }),
    execute: (prompt) => start<ExecutePromptInput>(prompt, (input) => executePrompt(input)),
    insist: (onBusy) => void run(() => last.current?.(onBusy) ?? Promise.reject(new Error("Nothing was asked."))),
    again: () => void run(() => last.current?.() ?? Promise.reject(new Error("Nothing was asked."))),
    dismiss: () => setStanding({ state: "idle", told: null }),
  };
}
