import type { OperationVariables } from "@apollo/client";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { useCallback, useState } from "react";

import { toast } from "../ui/toasts";
import { client } from "./client";
import { type Refusal, tell, tellRefusal } from "./errors";

interface Payload {
  success: boolean;
  error?: Refusal | null;
  warnings?: readonly { code: string; message: string }[];
}

/** What a mutation answers under the name of its one field. */
type PayloadOf<Data> = Exclude<Data[Exclude<keyof Data, "__typename">], string>;

export interface Command<Data, Variables> {
  /** As `send`. */
  send: (variables: Variables, foreseen?: readonly string[]) => Promise<PayloadOf<Data> | null>;
  sending: boolean;
}

/**
 * Ask for a mutation of one field. Whatever goes wrong is told in a toast, with the server's hint; where asking again
 * may help, the toast offers it: with the same variables, hence under the same `clientKey` where there is one.
 *
 * Refusals with a `foreseen` code are the caller's to deal with: of those nothing is told, and the payload comes with its
 * `error`. Null where it was refused otherwise, or could not be asked.
 */
export async function send<Data extends object, Variables extends OperationVariables>(
  mutation: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  foreseen: readonly string[] = [],
  onAsking: (change: 1 | -1) => void = () => undefined,
): Promise<PayloadOf<Data> | null> {
  for (;;) {
    let failure;
    onAsking(1);
    try {
      const { data } = await client.mutate({ mutation, variables });
      const payload = Object.entries(data ?? {}).find(([name]) => name !== "__typename")?.[1] as Payload | undefined;
      return taken(payload, foreseen) ? (payload as PayloadOf<Data>) : null;
    } catch (error) {
      failure = tell(error);
    } finally {
      onAsking(-1);
    }
    if (!(await toast.failure(failure, true))) {
      return null;
    }
  }
}

/** Whether the caller goes on with what was answered; where not, it was told why. */
function taken(payload: Payload | undefined, foreseen: readonly string[]): boolean {
  if (payload?.error && foreseen.includes(payload.error.code)) {
    return true;
  }
  if (!payload?.success) {
    void toast.failure(payload?.error ? tellRefusal(payload.error) : tell(new Error("The server answered nothing.")));
    return false;
  }
  for (const { message } of payload.warnings ?? []) {
    toast.note(message);
  }
  return true;
}

/** `send`, and whether it is under way. */
export function useCommand<Data extends object, Variables extends OperationVariables>(
  mutation: TypedDocumentNode<Data, Variables>,
): Command<Data, Variables> {
  const [pending, setPending] = useState(0);
  const counted = useCallback(
    (variables: Variables, foreseen?: readonly string[]) =>
      send(mutation, variables, foreseen, (change) => setPending((count) => count + change)),
    [mutation],
  );
  return { send: counted, sending: pending > 0 };
}
