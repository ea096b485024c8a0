/** Values of variables: as they are typed, as they are sent, and as they stand in the text. */
import type { PromptVariableType } from "../documents.generated";

/** What was typed for a variable: nothing, a value, or what is none of its type. */
export type Typed = { kind: "none" } | { kind: "value"; value: unknown } | { kind: "problem"; problem: string };

const NONE: Typed = { kind: "none" };

/** The value that was typed. Nothing typed is no value, also of a text. */
export function typed(type: PromptVariableType, raw: string): Typed {
  if (type === "TEXT") {
    return raw === "" ? NONE : { kind: "value", value: raw };
  }
  const trimmed = raw.trim();
  if (trimmed === "") {
    return NONE;
  }
  const value = parsed(trimmed);
  const problem = problemOf(type, value);
  return problem === null ? { kind: "value", value } : { kind: "problem", problem };
}

/** A value as one would type it. */
export function asTyped(type: PromptVariableType, value: unknown): string {
  if (value === null || value === undefined) {
    return "";
  }
  return type === "TEXT" && typeof value === "string" ? value : JSON.stringify(value);
}

/** A value as it stands in the text of a prompt: a text as it is, all else as JSON on one line with its keys sorted. */
export function rendered(type: PromptVariableType, value: unknown): string {
  return type === "TEXT" && typeof value === "string" ? value : JSON.stringify(sorted(value));
}

/** What JSON says; undefined is never said. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function problemOf(type: Exclude<PromptVariableType, "TEXT">, value: unknown): string | null {
  switch (type) {
    case "INTEGER":
      if (!Number.isInteger(value)) {
        return "This must be a whole number.";
      }
      return Number.isSafeInteger(value) ? null : "A browser does not know so large a number exactly.";
    case "NUMBER":
      return typeof value === "number" ? null : "This must be a number.";
    case "BOOLEAN":
      return typeof value === "boolean" ? null : "This must be true or false.";
    case "JSON":
      return value === undefined ? "This must be JSON." : null;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sorted);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const members = Object.entries(value).map(([name, member]) => [name, sorted(member)] as const);
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)));
}
