/** A name as the IANA has them, and no offset such as `+02:00`, which browsers take as well. */
const NAME = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/;

/** Whether there is such a time zone. */
export function isZone(name: string): boolean {
  if (!NAME.test(name)) {
    return false;
  }
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone: name }));
  } catch {
    return false;
  }
}

/** Where the browser is. */
export function zoneHere(): string {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return isZone(here) ? here : "UTC";
}

/** All time zones that the browser knows, and this one. */
export function zones(chosen: string): string[] {
  return [...new Set(["UTC", ...Intl.supportedValuesOf("timeZone"), chosen])].sort();
}
