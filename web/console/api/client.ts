import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { ErrorLink } from "@apollo/client/link/error";
import { relayStylePagination } from "@apollo/client/utilities";

import { type Account, account, identification, refused } from "./account";
import { setUnreached } from "./connection";
import { isRefusedCaller, isUnreached } from "./errors";
import { inOrder } from "./inOrder";
import possible from "./possibleTypes.generated";

/** Pages of a list are put together; another filter or order is another list. */
const list = (...distinguishedBy: string[]) => relayStylePagination(distinguishedBy);

/** What is kept of what was asked: every object once, by its id. */
export function makeCache(): InMemoryCache {
  return new InMemoryCache({
    possibleTypes: possible.possibleTypes,
    typePolicies: {
      Query: {
        fields: {
          sessions: list("filter", "orderBy"),
          searchSessions: list("query", "filter"),
          searchMessages: list("query", "sessionId", "userId", "role", "from", "to"),
          pendingApprovals: list(),
          pendingReviews: list("projectId", "stage"),
          projects: list("filter", "orderBy"),
          promptTemplates: list("filter", "orderBy"),
          auditEvents: list("filter"),
          apiKeys: list(),
          toolExecutions: list("sessionId", "status"),
          promptExecutions: list("sessionId"),
        },
      },
      // The pages of an active path are put together by the conversation, since its end may become another branch.
      ChatSession: { fields: { messages: list("role") } },
      PromptTemplate: { fields: { versions: list(), history: list() } },
      PromptTemplateVersion: { fields: { executions: list() } },
      // Values without an id belong to what holds them.
      SessionMetadata: { merge: true },
      MessageSiblings: { merge: true },
      Generation: { merge: true },
      ContextItems: { merge: true },
      Usage: { merge: true },
      UserError: { merge: true },
      ProjectProgress: { merge: true },
      Viewer: { merge: true },
    },
  });
}

// An account that is only tried is named in the context of its request.
const identified = new SetContextLink((context) => {
  const asked = "account" in context ? (context["account"] as Account | null) : account();
  return { headers: { ...(context["headers"] as Record<string, string> | undefined), ...identification(asked) } };
});

const watched = new ErrorLink(({ error, operation }) => {
  if (isUnreached(error)) {
    setUnreached();
  } else if (isRefusedCaller(error) && !("account" in operation.getContext())) {
    refused();
  }
});

/** The client that every page asks; what is followed comes over the socket (`follow`). */
export const client = new ApolloClient({
  link: ApolloLink.from([watched, identified, inOrder(), new HttpLink({ uri: "/graphql" })]),
  cache: makeCache(),
  // What is asked for because something has changed is not answered by what was asked for before that.
  queryDeduplication: false,
  defaultOptions: { watchQuery: { fetchPolicy: "cache-and-network", nextFetchPolicy: "cache-first" } },
});
