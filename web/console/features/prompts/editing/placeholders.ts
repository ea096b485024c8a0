/**
 * Variables in the text of a prompt: `{{name}}` stands for a value, `{{{{` for two braces, and all other text for itself.
 * The server decides; this is so that a person sees while typing what it would say.
 */

const TAG = /\{\{(?:(?<escaped>\{\{)|[ \t\r\n]*(?<named>[a-zA-Z_][a-zA-Z0-9_]{0,63})[ \t\r\n]*\}\})?/g;

const LONGEST_SHOWN = 40;

/** What begins with two braces and is no variable. Lines and columns count from 1. */
export interface Misplaced {
  line: number;
  column: number;
  shown: string;
}

export interface Placeholders {
  /** The names of the variables, each once, in their order. */
  names: string[];
  /** The first thing that the server would refuse. */
  misplaced: Misplaced | null;
}

/** What a text says with braces. */
export function placeholdersIn(content: string): Placeholders {
  const names = new Set<string>();
  let misplaced: Misplaced | null = null;
  for (const { index, groups } of content.matchAll(TAG)) {
    if (groups?.["named"]) {
      names.add(groups["named"]);
    } else if (!groups?.["escaped"]) {
      misplaced ??= misplacedAt(content, index);
    }
  }
  return { names: [...names], misplaced };
}

/** The text with these in the place of its variables; one that is not among them leaves no text. */
export function filled(content: string, texts: ReadonlyMap<string, string>): string {
  return content.replace(TAG, (tag: string, escaped?: string, named?: string) => {
    if (escaped) {
      return "{{";
    }
    return named ? (texts.get(named) ?? "") : tag;
  });
}

function misplacedAt(content: string, at: number): Misplaced {
  const before = content.slice(0, at);
  const end = content.indexOf("}}", at + 2);
  const shown = content.slice(at, end < 0 ? undefined : end + 2);
  return {
    line: before.split("\n").length,
    column: at - before.lastIndexOf("\n"),
    shown: shown.length <= LONGEST_SHOWN ? shown : `${shown.slice(0, LONGEST_SHOWN)}…`,
  };
}
