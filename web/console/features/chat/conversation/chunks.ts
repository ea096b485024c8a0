/** As the server parts a file that a prompt is asked with: some pages. */
const LONGEST_PART = 8_000;

/** What a message carries in all, with room for the rest of it: docs/executions.md. */
const LARGEST_BYTES = 400_000;

/** Of names that tell of text where the browser does not. */
const TEXTS =
  /\.(txt|md|csv|tsv|json|jsonl|ya?ml|toml|ini|xml|html?|css|[cm]?[jt]sx?|py|rs|go|java|kt|c|h|cpp|sh|sql|log)$/i;

export interface DocumentChunk {
  source: string;
  part: number;
  parts: number;
  text: string;
}

/** Whether a model can read the file: it is text. Any other is kept with the message, for people. */
export function isReadable({ type, name, size }: { type: string; name: string; size: number }): boolean {
  return size <= LARGEST_BYTES && (type.startsWith("text/") || type === "application/json" || TEXTS.test(name));
}

/** A text in parts that go with a message, cut at the end of a line or a word where there is one. */
export function chunksOf(source: string, text: string): DocumentChunk[] {
  const found: string[] = [];
  for (let start = 0; start < text.length;) {
    const end = cut(text, start);
    found.push(text.slice(start, end));
    start = end;
  }
  return found.map((part, index) => ({ source, part: index + 1, parts: found.length, text: part }));
}

/** The texts of those files that are, as far as they go with one message. */
export async function readable(files: readonly File[]): Promise<DocumentChunk[]> {
  const found: DocumentChunk[] = [];
  let bytes = 0;
  for (const file of files.filter(isReadable)) {
    bytes += file.size;
    if (bytes <= LARGEST_BYTES) {
      // A text of the database has no such character.
      found.push(...chunksOf(file.name, (await file.text()).replaceAll("\0", "")));
    }
  }
  return found;
}

function cut(text: string, start: number): number {
  const end = start + LONGEST_PART;
  if (end >= text.length) {
    return text.length;
  }
  const place = Math.max(text.lastIndexOf("\n", end - 1), text.lastIndexOf(" ", end - 1));
  if (place >= start + LONGEST_PART / 2) {
    return place + 1;
  }
  // Not in the middle of a character that takes two.
  return /[\uD800-\uDBFF]/.test(text.charAt(end - 1)) ? end - 1 : end;
}
