import { describe, expect, it } from "vitest";

import { type Answer, type CompletionEvent, taken, UNHEARD } from "./completion";

/** Numbers below a bound, the same for the same seed (mulberry32). */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

const message = (id: string) => ({ __typename: "ChatMessage" as const, id });

const snapshot = (seq: number, text: string, id = "m1"): CompletionEvent => ({
  __typename: "CompletionSnapshot",
  seq,
  text,
  message: message(id),
});

const delta = (seq: number, text: string): CompletionEvent => ({ __typename: "CompletionDelta", seq, text });

const turn = (seq: number, id: string): CompletionEvent => ({
  __typename: "CompletionTurn",
  seq,
  message: message(id),
});

const call = (seq: number): CompletionEvent => ({ __typename: "CompletionToolCall", seq });

/** An end with no more of the message than is looked at. */
const finished = (seq: number, content: string, id = "m1"): CompletionEvent =>
  ({
    __typename: "CompletionFinished",
    seq,
    run: { id: "r1" },
    message: { ...message(id), content },
  }) as CompletionEvent;

const after = (events: readonly CompletionEvent[]): Answer => events.reduce(taken, UNHEARD);

describe("an answer", () => {
  it("is what a snapshot says, and what deltas add", () => {
    expect(after([snapshot(3, "One two"), delta(4, " three"), delta(7, " four")])).toEqual({
      seq: 7,
      messageId: "m1",
      text: "One two three four",
      state: "following",
    });
  });

  it("takes nothing twice that comes again behind a new connection", () => {
    const heard = [snapshot(1, "One"), delta(2, " two"), delta(3, " three")];

    expect(after([...heard, ...heard]).text).toBe("One two three");
  });

  it("is replaced by a snapshot that comes after deltas", () => {
    expect(after([delta(1, "On"), delta(2, "e"), snapshot(5, "One two")]).text).toBe("One two");
  });

  it("begins another message with each turn", () => {
    const heard = after([snapshot(0, ""), delta(1, "I look it up."), call(2), turn(3, "m2"), delta(4, "It rains.")]);

    expect(heard).toMatchObject({ messageId: "m2", text: "It rains.", seq: 4 });
  });

  it("ends with what is stored, and with nothing after it", () => {
    const heard = after([snapshot(1, "One"), finished(2, "One two"), delta(3, "?")]);

    expect(heard).toEqual({ seq: 2, messageId: "m1", text: "One two", state: "ended" });
  });

  it("passes over kinds of events that it does not know", () => {
    const unknown = { __typename: "CompletionThought", seq: 2 } as unknown as CompletionEvent;

    expect(after([snapshot(1, "One"), unknown, delta(3, " two")])).toMatchObject({ seq: 3, text: "One two" });
  });
});

/** The log of a run of several turns: what each event says alone, and the message and its text as they are behind it. */
interface Entry {
  event: CompletionEvent;
  id: string;
  text: string;
}

function someLog(roll: (below: number) => number): Entry[] {
  const log: Entry[] = [];
  let [id, text] = ["m1", ""];
  const length = 1 + roll(30);
  for (let seq = 1; seq <= length; seq += 1) {
    const kind = roll(10);
    if (kind === 0) {
      log.push({ event: call(seq), id, text });
    } else if (kind === 1) {
      [id, text] = [`m${seq}`, ""];
      log.push({ event: turn(seq, id), id, text });
    } else {
      const piece = `${"ab 🙂é\n".charAt(roll(6))}${seq}`;
      text += piece;
      log.push({ event: delta(seq, piece), id, text });
    }
  }
  log.push({ event: finished(length + 1, text, id), id, text });
  return log;
}

/** What one connection brings behind a position: neighbouring deltas may come as one. */
function sent(log: readonly Entry[], position: number | null, roll: (below: number) => number): CompletionEvent[] {
  const at = position ?? roll(log.length);
  const behind = log.slice(at).map(({ event }) => event);
  const found: CompletionEvent[] = [];
  if (position === null || roll(6) === 0) {
    const { id, text } = at === 0 ? { id: "m1", text: "" } : (log[at - 1] ?? { id: "m1", text: "" });
    found.push(snapshot(at, text, id));
  }
  for (const event of behind) {
    const last = found.at(-1);
    if (event.__typename === "CompletionDelta" && last?.__typename === "CompletionDelta" && roll(2) === 0) {
      found[found.length - 1] = delta(event.seq, last.text + event.text);
    } else {
      found.push(event);
    }
  }
  return found;
}

describe("whatever breaks in between", () => {
  it.each(Array.from({ length: 300 }, (_, seed) => seed))("text is what is stored (seed %i)", (seed) => {
    const roll = dice(seed);
    const log = someLog(roll);
    let answer = UNHEARD;

    while (answer.state === "following") {
      const events = sent(log, answer.seq, roll);
      // The connection breaks somewhere; some of it may come twice.
      const broken = events.slice(0, 1 + roll(events.length));
      for (const event of roll(3) === 0 ? broken.flatMap((event) => [event, event]) : broken) {
        answer = taken(answer, event);
        const known = log[(answer.seq ?? 0) - 1];
        expect(answer.text).toBe(known?.text ?? "");
        expect(answer.messageId).toBe(known?.id ?? "m1");
      }
    }

    expect(answer.text).toBe(log.at(-1)?.text);
  });
});
