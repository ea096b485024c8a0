import type { GraphiQL } from "graphiql";
import { type ExecutionResult, getOperationAST, OperationTypeNode, parse } from "graphql";
import { createClient } from "graphql-ws";
import type { ComponentProps } from "react";

type Fetcher = ComponentProps<typeof GraphiQL>["fetcher"];
interface Operation {
  query: string;
  operationName: string | null;
  variables: Record<string, unknown> | null;
}
type Headers = Record<string, string>;

const endpoint = new URL("/graphql", location.href);

const socketEndpoint = new URL(endpoint);
socketEndpoint.protocol = location.protocol === "https:" ? "wss:" : "ws:";

/**
 * Sends queries and mutations as POST, and opens a graphql-transport-ws socket for each subscription while it runs.
 *
 * What runs is read from the text: GraphiQL 5.4 parses it a moment after each change, and until then names the operation
 * that stood there before. That is also why this is not the fetcher of @graphiql/toolkit: it goes by what was parsed.
 */
export const fetcher: Fetcher = ({ query, operationName, variables }, options) => {
  const headers: Headers = options?.headers ?? {};
  const chosen = operationToRun(query, operationName);
  const operation: Operation = {
    query,
    operationName: chosen?.name?.value ?? null,
    variables: variables as Operation["variables"],
  };
  return chosen?.operation === OperationTypeNode.SUBSCRIPTION
    ? subscribe(operation, headers)
    : post(operation, headers);
};

/** The operation of that name, else the only one; none where the server has to complain: several, or a syntax error. */
function operationToRun(query: string, operationName: string | null | undefined) {
  try {
    const document = parse(query);
    return getOperationAST(document, operationName) ?? getOperationAST(document);
  } catch {
    return null;
  }
}

async function post(operation: Operation, headers: Headers) {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/graphql-response+json, application/json;q=0.9",
      ...headers,
    },
    body: JSON.stringify(operation),
  });
  if (!response.headers.get("content-type")?.includes("json")) {
    throw new Error(`${response.status} ${response.statusText}: ${await response.text()}`);
  }
  return (await response.json()) as ExecutionResult;
}

function subscribe(operation: Operation, headers: Headers) {
  const client = createClient({
    url: socketEndpoint.href,
    // A browser cannot set headers on a socket: they travel as the payload of connection_init.
    connectionParams: headers,
    // A second attempt would start the subscription over, and show as new what was seen before.
    retryAttempts: 0,
  });
  // GraphiQL asks for GraphQLError objects and shows what JSON makes of them: what came over the wire is that already.
  return client.iterate(operation) as AsyncIterable<ExecutionResult>;
}
