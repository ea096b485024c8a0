const FOLLOWED: readonly string[] = ["http:", "https:", "mailto:"];

/** An address that a text may lead to; empty for any other, however it is spelled, and for one without a scheme. */
export function followed(address: string): string {
  return URL.canParse(address) && FOLLOWED.includes(new URL(address).protocol) ? address : "";
}
