import type { OperationVariables } from "@apollo/client";
import { ServerError } from "@apollo/client/errors";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";

import { client } from "../../../api/client";
import { type Refusal, tell, tellRefusal, type Told } from "../../../api/errors";
import {
  ConversationExecuteDocument,
  type ConversationSendMutation,
  ConversationSendDocument,
  type ExecutePromptInput,
  type SendMessageInput,
} from "./documents.generated";

/** What was stored: the person's message and the one that will answer it. */
export type Sent = Pick<ConversationSendMutation["sendMessage"], "session" | "userMessage" | "message">;

/** `busy`: the session writes another answer; nothing was stored. `lost`: whether it was stored is not known. */
export type Outcome = { kind: "sent"; sent: Sent } | { kind: "busy" } | { kind: "refused" | "lost"; told: Told };

/** Pauses before it is sent once more where no answer came: the key has it done once. */
const PAUSES_MS = [250, 1_000, 2_500, 5_000];

/** Send a message that has a `clientKey`. */
export async function sendMessage(input: SendMessageInput, pauses?: readonly number[]): Promise<Outcome> {
  return outcomeOf(ConversationSendDocument, { input }, ({ sendMessage }) => sendMessage, pauses);
}

/** Ask a prompt that has a `clientKey`. */
export async function executePrompt(input: ExecutePromptInput, pauses?: readonly number[]): Promise<Outcome> {
  return outcomeOf(ConversationExecuteDocument, { input }, ({ executePrompt }) => executePrompt, pauses);
}

async function outcomeOf<Data extends object, Variables extends OperationVariables>(
  mutation: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  payloadOf: (data: Data) => Sent & { success: boolean; error: Refusal | null },
  pauses: readonly number[] = PAUSES_MS,
): Promise<Outcome> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const { data } = await client.mutate({ mutation, variables });
      if (!data) {
        throw new Error("The server answered nothing.");
      }
      const { error, success, ...sent } = payloadOf(data);
      if (success) {
        return { kind: "sent", sent };
      }
      return error?.code === "RUN_ACTIVE"
        ? { kind: "busy" }
        : { kind: "refused", told: tellRefusal(error ?? { code: "", message: "The server refused this." }) };
    } catch (error) {
      if (!isLost(error)) {
        return { kind: "refused", told: tell(error) };
      }
      const pause = pauses[attempt];
      if (pause === undefined) {
        return { kind: "lost", told: tell(error) };
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/** Whether the server may have done it, and its answer was lost on the way. */
function isLost(error: unknown): boolean {
  return error instanceof TypeError || (ServerError.is(error) && error.statusCode >= 500);
}
