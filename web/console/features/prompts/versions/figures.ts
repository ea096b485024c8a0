import { dollars, duration, short } from "../../../ui/numbers";
import type { PromptFiguresFragment } from "./documents.generated";

const PERCENT = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });

/** What is shown where there is nothing to reckon with. */
export const NONE = "–";

/** The share of the completed: 98.5%. */
export function rate(share: number | null): string {
  return share === null ? NONE : PERCENT.format(share);
}

/** A time that half, or 95 of 100, of the completed took at most. */
export function took(milliseconds: number | null): string {
  return milliseconds === null ? NONE : duration(milliseconds);
}

/** What is known of the price of all of them; how many have none is told beside it. */
export function price({ cost, costUnknown }: Pick<PromptFiguresFragment, "cost" | "costUnknown">): string {
  const known = cost === null ? NONE : dollars(cost);
  return costUnknown > 0 ? `${known} (${short(costUnknown)} without a known price)` : known;
}

/** How those ended that did not complete, in words; empty where there is none. */
export function others({ failed, cancelled, interrupted, running }: PromptFiguresFragment): string {
  const counts = [
    [failed, "failed"],
    [cancelled, "stopped"],
    [interrupted, "interrupted"],
    [running, "running"],
  ] as const;
  return counts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(", ");
}
