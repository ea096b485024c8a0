/** For how long a key lets somebody in, as one chooses it. */
export type Lasting = "30" | "90" | "365" | "ever" | "day";

export const LASTING: readonly { value: Lasting; label: string }[] = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "A year" },
  { value: "day", label: "Until a day" },
  { value: "ever", label: "For ever" },
];

const DAY_MS = 86_400_000;

/** The moment from which on it lets nobody in; null for never. `day` is as a field of dates has it, here where one is. */
export function expiresAt(lasting: Lasting, day: string, now = Date.now()): string | null {
  switch (lasting) {
    case "ever":
      return null;
    case "day":
      // The whole day counts: it ends with the first moment of the next.
      return new Date(new Date(`${day}T00:00`).setHours(24)).toISOString();
    default:
      return new Date(now + Number(lasting) * DAY_MS).toISOString();
  }
}

/** How a key stands. */
export type Standing = "active" | "expired" | "revoked";

/** Revoked, expired, or letting somebody in. */
export function standing(key: { revokedAt?: string | null; expiresAt?: string | null }, now = Date.now()): Standing {
  if (key.revokedAt) {
    return "revoked";
  }
  return key.expiresAt && Date.parse(key.expiresAt) <= now ? "expired" : "active";
}
