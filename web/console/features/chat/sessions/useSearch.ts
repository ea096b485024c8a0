import { useQuery } from "@apollo/client/react";
import { useEffect, useState } from "react";

import { MessageSearchDocument, SessionSearchDocument } from "./documents.generated";
import { asked, type Filter } from "./filter";

/** Who types fast is asked about once. */
const PAUSE_MS = 200;

const PAGE = 20;

/** The value, as soon as it has not changed for a moment. */
export function useSettled<Value>(value: Value): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

/** The sessions that are found, the best first; a search that another one follows is called off. */
export function useSessionHits(query: string, filter: Filter) {
  const { data, previousData, loading, error, fetchMore, refetch } = useQuery(SessionSearchDocument, {
    variables: { query, filter: asked(filter), first: PAGE },
  });
  const found = (data ?? previousData)?.searchSessions;
  const more = () => void fetchMore({ variables: { after: found?.pageInfo.endCursor } });
  return { hits: found?.edges, hasMore: found?.pageInfo.hasNextPage ?? false, more, loading, error, refetch };
}

/** The same for messages, of all sessions. */
export function useMessageHits(query: string) {
  const { data, previousData, loading, error, fetchMore, refetch } = useQuery(MessageSearchDocument, {
    variables: { query, first: PAGE },
  });
  const found = (data ?? previousData)?.searchMessages;
  const more = () => void fetchMore({ variables: { after: found?.pageInfo.endCursor } });
  return { hits: found?.edges, hasMore: found?.pageInfo.hasNextPage ?? false, more, loading, error, refetch };
}
