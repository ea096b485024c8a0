import { useFragment } from "@apollo/client/react";
import { useMemo, useSyncExternalStore } from "react";

import { BEGINNING, type ConversationState, ConversationStore } from "./ConversationStore";
import {
  type ConversationMessageFragment,
  ConversationMessageFragmentDoc,
  type ConversationSessionFragment,
  ConversationSessionFragmentDoc,
} from "./documents.generated";

const NO_STORE = { subscribe: () => () => undefined, get: () => BEGINNING };

/** A session that is open while this is used, and the store that knows it; without a session there is none. */
export function useConversation(sessionId: string | null): {
  store: ConversationStore | null;
  state: ConversationState;
} {
  const store = useMemo(() => (sessionId === null ? null : new ConversationStore(sessionId)), [sessionId]);
  const { subscribe, get } = store ?? NO_STORE;
  return { store, state: useSyncExternalStore(subscribe, get) };
}

/** The session as the cache has it; null before it was read. */
export function useSession(id: string | null): ConversationSessionFragment | null {
  const { data, complete } = useFragment({
    fragment: ConversationSessionFragmentDoc,
    fragmentName: "ConversationSession",
    from: { __typename: "ChatSession", id: id ?? "" },
  });
  return complete ? data : null;
}

/** A message as the cache has it; null before it was read. */
export function useMessage(id: string): ConversationMessageFragment | null {
  const { data, complete } = useFragment({
    fragment: ConversationMessageFragmentDoc,
    fragmentName: "ConversationMessage",
    from: { __typename: "ChatMessage", id },
  });
  return complete ? data : null;
}
