import { ApolloClient, ApolloLink, gql, InMemoryCache } from "@apollo/client";
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { Observable } from "rxjs";
import { expect, test } from "vitest";

import { inOrder } from "./inOrder";

const QUERY: TypedDocumentNode<{ count: number }, { of: string }> = gql`
  query Count($of: String) {
    count(of: $of)
  }
`;

/** A server that answers each question when it is told to. */
function scene() {
  const answers: ((count: number, errors?: { message: string }[]) => void)[] = [];
  const server = new ApolloLink(
    () =>
      new Observable((observer) => {
        answers.push((count, errors) => {
          observer.next({ data: { count }, ...(errors && { errors }) });
          observer.complete();
        });
      }),
  );
  const client = new ApolloClient({
    link: ApolloLink.from([inOrder(), server]),
    cache: new InMemoryCache(),
    queryDeduplication: false,
  });
  const ask = async (of = "all", who = "alice") => {
    const { data } = await client.query({
      query: QUERY,
      variables: { of },
      fetchPolicy: "network-only",
      context: { headers: { "X-Colloquy-User": who } },
    });
    return data?.count;
  };
  const kept = () => client.readQuery({ query: QUERY, variables: { of: "all" } })?.count;
  return { answers, ask, kept };
}

test("an answer that was overtaken does not replace the one that overtook it", async () => {
  const { answers, ask, kept } = scene();
  const first = ask();
  const second = ask();

  answers[1]?.(2);
  expect(await second).toBe(2);
  answers[0]?.(1);

  expect(await first).toBe(2);
  expect(kept()).toBe(2);
});

test("answers in order are each taken", async () => {
  const { answers, ask, kept } = scene();
  const [first, second] = [ask(), ask()];

  answers[0]?.(1);
  expect(await first).toBe(1);
  answers[1]?.(2);

  expect(await second).toBe(2);
  expect(kept()).toBe(2);
});

test("other questions have answers of their own, and so has one that is asked later", async () => {
  const { answers, ask } = scene();
  const [all, few] = [ask(), ask("few")];
  answers[1]?.(3);
  answers[0]?.(7);
  expect([await all, await few]).toEqual([7, 3]);

  const later = ask();
  answers[2]?.(8);
  expect(await later).toBe(8);
});

test("who asks as another has an answer of their own", async () => {
  const { answers, ask } = scene();
  const [alice, bob] = [ask("all", "alice"), ask("all", "bob")];

  answers[1]?.(3);
  answers[0]?.(7);

  expect([await alice, await bob]).toEqual([7, 3]);
});

test("an error counts for nobody else", async () => {
  const { answers, ask } = scene();
  const [first, second] = [ask(), ask()];

  answers[1]?.(0, [{ message: "Not now." }]);
  await expect(second).rejects.toThrow("Not now.");
  answers[0]?.(1);

  expect(await first).toBe(1);
});
