import { addTypenameToDocument } from "@apollo/client/utilities";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { type GraphQLFormattedError, print } from "graphql";
import { CloseCode, createClient } from "graphql-ws";

import { identification, refused as callerRefused } from "./account";
import { setConnection } from "./connection";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

const url = new URL("/graphql", location.href);
url.protocol = location.protocol === "https:" ? "wss:" : "ws:";

/** The code of a socket that the page itself closed, since nothing is followed any more. */
const NORMAL = 1000;

/** Within which an answer to a ping is waited for: a network that is gone does not always close a socket. */
const PONG_MS = 5_000;

/** Closed by the server for good: another attempt would be refused as well, until somebody signs in. */
const REFUSED: readonly number[] = [CloseCode.Forbidden, CloseCode.BadRequest, CloseCode.SubprotocolNotAcceptable];

let pong: ReturnType<typeof setTimeout> | undefined;

/** One socket for all that the page follows; it connects again by itself, for as long as something is followed. */
const socket = createClient({
  url: url.href,
  connectionParams: identification,
  retryAttempts: Number.POSITIVE_INFINITY,
  shouldRetry: (closed) => !(closed instanceof CloseEvent && REFUSED.includes(closed.code)),
  retryWait: (retries) =>
    new Promise((resolve) => setTimeout(resolve, Math.min(FIRST_PAUSE_MS * 2 ** retries, LONGEST_PAUSE_MS))),
  keepAlive: 10_000,
  on: {
    connected: () => setConnection("connected"),
    ping: (received) => {
      if (!received) {
        pong = setTimeout(() => socket.terminate(), PONG_MS);
      }
    },
    pong: () => clearTimeout(pong),
    closed: (event) => {
      clearTimeout(pong);
      const code = event instanceof CloseEvent ? event.code : null;
      // A server that stops closes cleanly, too, but with a code of its own.
      setConnection(code === NORMAL || code === CloseCode.Forbidden ? "idle" : "reconnecting");
      if (code === CloseCode.Forbidden) {
        callerRefused();
      }
    },
  },
});

/** What ended a subscription: errors of the operation, or a socket that the server will not open again. */
export class SubscriptionRefused extends Error {
  readonly errors: readonly GraphQLFormattedError[];

  constructor(errors: readonly GraphQLFormattedError[]) {
    super(errors[0]?.message ?? "The connection was refused. Sign in again.");
    this.errors = errors;
  }
}

export interface Following<Data> {
  /** An event; its position, from where a connection after this one goes on, is returned. */
  next: (data: Data) => number | string | null;
  /** It has ended by itself. */
  complete?: () => void;
  /** It cannot go on. */
  refused?: (error: SubscriptionRefused) => void;
}

/**
 * Follow a subscription that goes on behind `after`, over as many connections as it takes: no event is lost or doubled.
 *
 * The variables are read anew for each connection, with the position of the last event that was taken. Returns what ends
 * it.
 */
export function follow<Data, Variables extends Record<string, unknown>>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Omit<Variables, "after">,
  { next, complete, refused }: Following<Data>,
  after: number | string | null = null,
): () => void {
  let position = after;
  const current = {
    ...variables,
    get after() {
      return position;
    },
  };
  return socket.subscribe<Data>(
    // As the client asks for them over HTTP, so that what comes can be kept in its cache.
    { query: print(addTypenameToDocument(document)), variables: current },
    {
      next({ data, errors }) {
        if (errors) {
          refused?.(new SubscriptionRefused(errors));
        } else if (data) {
          position = next(data) ?? position;
        }
      },
      error(reason) {
        refused?.(new SubscriptionRefused(Array.isArray(reason) ? reason : []));
      },
      complete: () => complete?.(),
    },
  );
}
