const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * JSON with a line for each member; any other text as it is. Only the spaces change: what is approved is what is shown,
 * with every digit, and every key that is there twice.
 */
export function pretty(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  let depth = 0;
  let made = "";
  let opened = false;
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const [token] of text.matchAll(TOKENS)) {
    const closes = token === "}" || token === "]";
    if (closes) {
      depth -= 1;
    }
    if (opened !== closes && (opened || closes)) {
      made += line();
    }
    opened = token === "{" || token === "[";
    if (opened) {
      depth += 1;
    }
    made += token === "," ? `,${line()}` : token === ":" ? ": " : token;
  }
  return made;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long there is until a moment, in words of at most two units; null once it is over. */
export function remaining(until: string, now: number): string | null {
  const seconds = Math.ceil((Date.parse(until) - now) / 1000);
  if (seconds <= 0) {
    return null;
  }
  const two = (unit: number, name: string, below: number, nameBelow: string) => {
    const rest = Math.floor((seconds % unit) / below);
    return `${Math.floor(seconds / unit)} ${name}${rest > 0 ? ` ${rest} ${nameBelow}` : ""}`;
  };
  if (seconds >= DAY) {
    return two(DAY, "d", HOUR, "h");
  }
  if (seconds >= HOUR) {
    return two(HOUR, "h", MINUTE, "min");
  }
  return seconds >= MINUTE ? two(MINUTE, "min", 1, "s") : `${seconds} s`;
}
