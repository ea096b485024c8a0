/** The exact sum of decimals, as the API tells them; null where none of them is known. */
export function sum(decimals: readonly (string | null)[]): string | null {
  const known = decimals.filter((decimal) => decimal !== null);
  if (known.length === 0) {
    return null;
  }
  const places = Math.max(...known.map((decimal) => placesOf(decimal)));
  const total = known.reduce((so, decimal) => so + scaled(decimal, places), 0n);
  return written(total, places);
}

function placesOf(decimal: string): number {
  return decimal.split(".")[1]?.length ?? 0;
}

function scaled(decimal: string, places: number): bigint {
  const [whole = "", part = ""] = decimal.split(".");
  return BigInt(whole + part.padEnd(places, "0"));
}

function written(total: bigint, places: number): string {
  if (places === 0) {
    return total.toString();
  }
  const digits = (total < 0n ? -total : total).toString().padStart(places + 1, "0");
  return `${total < 0n ? "-" : ""}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
