const INDENT = "  ";

/**
 * A text that is JSON with a line for each of its values; null where it is none. Its values stay as they are written:
 * numbers that JavaScript would round, and keys that stand twice, are shown as they are.
 */
export function indented(text: string): string | null {
  try {
    if (typeof JSON.parse(text) !== "object") {
      return null;
    }
  } catch {
    return null;
  }
  let depth = 0;
  const line = (): string => `\n${INDENT.repeat(depth)}`;
  const pieces: string[] = [];
  for (const [piece] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{[]\s*[}\]]|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (piece === "{" || piece === "[") {
      depth += 1;
      pieces.push(piece, line());
    } else if (piece === "}" || piece === "]") {
      depth -= 1;
      pieces.push(line(), piece);
    } else if (piece === ",") {
      pieces.push(piece, line());
    } else if (piece === ":") {
      pieces.push(": ");
    } else {
      pieces.push(piece.replace(/^([{[])\s*/, "$1"));
    }
  }
  return pieces.join("");
}
