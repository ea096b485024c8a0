import { CombinedGraphQLErrors, ServerError } from "@apollo/client/errors";

/** What a mutation says when it did not do what was asked: see docs/conventions.md. */
export interface Refusal {
  code: string;
  message: string;
  field?: string | null;
  hint?: string | null;
}

/** An error as a person is told of it. */
export interface Told {
  title: string;
  detail: string | null;
  /** Whether asking again may help. */
  retry: boolean;
}

/** What stands before a server answers so when there is none behind it. */
const AWAY: readonly number[] = [502, 504];

/** Whether there was no server to answer. */
export function isUnreached(error: unknown): boolean {
  return error instanceof TypeError || (ServerError.is(error) && AWAY.includes(error.statusCode));
}

/** Whether the server does not know who is asking, and wants to. */
export function isRefusedCaller(error: unknown): boolean {
  return CombinedGraphQLErrors.is(error)
    ? error.errors.some(({ extensions }) => extensions?.code === "UNAUTHENTICATED")
    : ServerError.is(error) && error.statusCode === 401;
}

/** What happened, and what can be done about it. */
export function tell(error: unknown): Told {
  if (CombinedGraphQLErrors.is(error)) {
    const [first] = error.errors;
    const hint = first?.extensions?.hint;
    return {
      title: first?.message ?? "The server refused this.",
      detail: typeof hint === "string" ? hint : null,
      retry: first?.extensions?.retryable === true,
    };
  }
  if (ServerError.is(error)) {
    return { title: `The server answered ${error.statusCode}.`, detail: null, retry: error.statusCode >= 500 };
  }
  if (error instanceof TypeError) {
    return { title: "The server cannot be reached.", detail: "It is asked again as soon as it is there.", retry: true };
  }
  return { title: error instanceof Error ? error.message : String(error), detail: null, retry: true };
}

/** What a refused mutation told. */
export function tellRefusal({ message, hint, field }: Refusal): Told {
  return { title: field ? `${message} (${field})` : message, detail: hint ?? null, retry: false };
}
