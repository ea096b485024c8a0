import { ApolloLink } from "@apollo/client";
import { OperationTypeNode } from "graphql";
import { finalize, map } from "rxjs";

/** A question that is under way, once or several times. */
interface Asked {
  /** How often it was asked so far. */
  times: number;
  underWay: number;
  /** The answer that was asked for last, of those that have come, and which time that was. */
  newest: { time: number; answer: ApolloLink.Result } | null;
}

/**
 * Of a question that is asked again before it was answered, the later answer counts, whichever comes first: one that was
 * overtaken is replaced by the one that overtook it. Otherwise what was so would be taken for what is.
 */
export function inOrder(): ApolloLink {
  const known = new Map<string, Asked>();
  return new ApolloLink((operation, forward) => {
    if (operation.operationType !== OperationTypeNode.QUERY) {
      return forward(operation);
    }
    // Another who asks, asks another question.
    const { headers } = operation.getContext();
    const key = JSON.stringify([operation.operationName, operation.variables, headers]);
    const asked = known.get(key) ?? { times: 0, underWay: 0, newest: null };
    known.set(key, asked);
    asked.times += 1;
    asked.underWay += 1;
    const time = asked.times;
    return forward(operation).pipe(
      map((answer) => {
        if (asked.newest && asked.newest.time > time) {
          return asked.newest.answer;
        }
        if (!answer.errors) {
          asked.newest = { time, answer };
        }
        return answer;
      }),
      finalize(() => {
        asked.underWay -= 1;
        if (asked.underWay === 0) {
          known.delete(key);
        }
      }),
    );
  });
}
