import { describe, expect, it, vi } from "vitest";

import { SubscriptionRefused } from "../../../api/socket";
import { type Heard, makeAnswers } from "./answers";
import type { CompletionEvent } from "./completion";

const snapshot = (seq: number, text: string): CompletionEvent => ({
  __typename: "CompletionSnapshot",
  seq,
  text,
  message: { __typename: "ChatMessage", id: "m1" },
});

const finished = (seq: number, content: string): CompletionEvent =>
  ({ __typename: "CompletionFinished", seq, run: { id: "r1" }, message: { id: "m1", content } }) as CompletionEvent;

const refusal = (code: string) => new SubscriptionRefused([{ message: code, extensions: { code } }]);

/** A server to follow, that says what it is told to. */
function scene() {
  const asked: { after: number | null; heard: Heard; stopped: boolean }[] = [];
  const ends: unknown[] = [];
  const answerOf = makeAnswers(
    (_, after, heard) => {
      const connection = { after, heard, stopped: false };
      asked.push(connection);
      return () => {
        connection.stopped = true;
      };
    },
    (ending) => ends.push(ending),
  );
  const say = (event: CompletionEvent) => asked.at(-1)?.heard.next(event);
  return { asked, ends, answerOf, say };
}

describe("the answers of a page", () => {
  it("are followed once, however many look", () => {
    const { asked, answerOf, say } = scene();
    const listener = vi.fn();
    answerOf("r1").subscribe(listener);
    answerOf("r1").subscribe(vi.fn());

    expect(say(snapshot(1, "One"))).toBe(1);

    expect(asked).toHaveLength(1);
    expect(listener).toHaveBeenCalledOnce();
    expect(answerOf("r1").get().text).toBe("One");
  });

  it("go on from where they were left", () => {
    const { asked, answerOf, say } = scene();
    const leave = answerOf("r1").subscribe(vi.fn());
    say(snapshot(4, "One"));
    leave();
    expect(asked[0]?.stopped).toBe(true);

    answerOf("r1").subscribe(vi.fn());

    expect(asked[1]?.after).toBe(4);
    expect(answerOf("r1").get().text).toBe("One");
  });

  it("tell their end once, before anybody sees it", () => {
    const { ends, answerOf, say } = scene();
    const seen: number[] = [];
    answerOf("r1").subscribe(() => seen.push(ends.length));

    say(finished(2, "One two"));
    say(finished(2, "One two"));

    expect(seen).toEqual([1]);
    expect(answerOf("r1").get()).toMatchObject({ state: "ended", text: "One two" });
  });

  it("begin anew where their position is another's", () => {
    const { asked, answerOf, say } = scene();
    answerOf("r1").subscribe(vi.fn());
    say(snapshot(9, "Another"));

    asked[0]?.heard.refused(refusal("INVALID_CURSOR"));
    say(snapshot(1, "One"));

    expect(asked[1]?.after).toBeNull();
    expect(answerOf("r1").get().text).toBe("One");
  });

  it("say so where the server does not tell of them", () => {
    const { asked, answerOf } = scene();
    answerOf("r1").subscribe(vi.fn());

    asked[0]?.heard.refused(refusal("NOT_FOUND"));

    expect(asked).toHaveLength(1);
    expect(answerOf("r1").get().state).toBe("refused");
  });
});
