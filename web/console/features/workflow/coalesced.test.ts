import { expect, it } from "vitest";

import { coalesced } from "./coalesced";

it("acts once more after it was asked for meanwhile, however often that was", async () => {
  const ends: (() => void)[] = [];
  const act = coalesced(() => new Promise<void>((end) => ends.push(end)));

  const first = act();
  void act();
  void act();
  expect(ends).toHaveLength(1);
  ends[0]?.();
  await first;
  await Promise.resolve();

  expect(ends).toHaveLength(2);
  ends[1]?.();
  await Promise.resolve();
  expect(ends).toHaveLength(2);
});
