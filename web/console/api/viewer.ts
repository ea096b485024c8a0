import { useQuery } from "@apollo/client/react";

import type { Account } from "./account";
import { client } from "./client";
import { ViewerDocument, type ViewerQuery } from "./viewer.generated";

/** Who one is to the server. */
export type Viewer = ViewerQuery["viewer"];

/** Who one is to the server; nothing until it has told. */
export function useViewer(): Viewer | undefined {
  return useQuery(ViewerDocument, { fetchPolicy: "cache-first" }).data?.viewer;
}

/** Whom the server would take this account for; what it refuses with is thrown. */
export async function viewerOf(account: Account | null): Promise<Viewer> {
  const { data } = await client.query({
    query: ViewerDocument,
    fetchPolicy: "no-cache",
    // What one account is told, is no answer to another.
    context: { account, queryDeduplication: false },
  });
  if (!data) {
    throw new Error("The server did not tell who this is.");
  }
  return data.viewer;
}
