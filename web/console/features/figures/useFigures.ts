import { useQuery } from "@apollo/client/react";
import { useState } from "react";

import { FiguresDocument, type FiguresQuery } from "./documents.generated";
import { type Wanted, moments } from "./range";

/** Figures, and which they are. */
export interface Figured {
  data: FiguresQuery;
  wanted: Wanted;
}

export interface Found {
  /** What was found last; it is of another range while the one that is wanted is fetched. */
  last: Figured | null;
  fetching: boolean;
  error: unknown;
  refetch: () => void;
}

/** The figures that are wanted: of the caller, or of one session. */
export function useFigures(wanted: Wanted, sessionId: string | null = null): Found {
  const { data, error, loading, refetch } = useQuery(FiguresDocument, {
    variables: {
      ...moments(wanted),
      timeZone: wanted.zone,
      bucket: wanted.bucket,
      usageBy: wanted.split === "model" ? "MODEL" : "NONE",
      messagesBy: wanted.split === "model" ? "MODEL" : "ROLE",
      sessionId,
    },
  });
  const [last, setLast] = useState<Figured | null>(null);
  if (data && data !== last?.data) {
    setLast({ data, wanted });
  }
  return { last, fetching: loading, error, refetch: () => void refetch() };
}
