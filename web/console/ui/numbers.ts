const WHOLE = new Intl.NumberFormat("en");
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** A whole number with its thousands apart; also one that came as a string (BigInt). */
export function whole(value: number | string): string {
  return WHOLE.format(typeof value === "string" ? BigInt(value) : value);
}

/** A number in few characters: 12.3K. */
export function short(value: number | string): string {
  return SHORT.format(typeof value === "string" ? BigInt(value) : value);
}

/** An amount in US dollars, an exact decimal: two places, or as many as show two digits of it. */
export function dollars(value: string): string {
  const amount = Number(value);
  const places = amount > 0 && amount < 0.1 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 2 };
  return new Intl.NumberFormat("en", { style: "currency", currency: "USD", ...places }).format(amount);
}

/** A length of time: 340 ms, 2.1 s, 3 min 20 s. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1_000) {
    return `${Math.round(milliseconds)} ms`;
  }
  const seconds = milliseconds / 1_000;
  const rounded = Math.round(seconds);
  return seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(rounded / 60)} min ${rounded % 60} s`;
}

/** A length of a file: 812 B, 3.4 kB, 10.5 MB. */
export function bytes(count: number): string {
  const unit = count < 1_000 ? "byte" : count < 1_000_000 ? "kilobyte" : "megabyte";
  const size = { byte: 1, kilobyte: 1_000, megabyte: 1_000_000 }[unit];
  return new Intl.NumberFormat("en", { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 }).format(
    count / size,
  );
}
