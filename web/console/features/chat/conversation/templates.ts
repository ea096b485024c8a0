import type { ComposerTemplatesQuery } from "./documents.generated";

export type Template = ComposerTemplatesQuery["promptTemplates"]["edges"][number]["node"];
export type Variable = Template["declaredVariables"][number];

/** What a person wrote for each variable, by its name. */
export type Written = Readonly<Record<string, string>>;

/** What a variable begins with. */
export function writtenDefault({ type, default: value }: Variable): string {
  if (value === null || value === undefined) {
    return "";
  }
  return type === "JSON" || typeof value !== "string" ? JSON.stringify(value) : value;
}

/** The values as the server takes them; those that nothing was written for are left to their defaults. */
export function valuesOf(variables: readonly Variable[], written: Written): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const { name, type } of variables) {
    const text = written[name] ?? "";
    if (text !== "") {
      values[name] = valueOf(type, text);
    }
  }
  return values;
}

/** Why something that was written is no value of the variable; null where it is one. */
export function problemOf({ type, required, default: value }: Variable, text: string): string | null {
  if (text === "") {
    return required && (value === null || value === undefined) ? "It needs a value." : null;
  }
  switch (type) {
    case "INTEGER":
      return /^-?\d+$/.test(text.trim()) ? null : "A whole number is wanted.";
    case "NUMBER":
      return Number.isFinite(Number(text)) ? null : "A number is wanted.";
    case "BOOLEAN":
      return /^(true|false)$/.test(text.trim()) ? null : "true or false is wanted.";
    case "JSON":
      return isJson(text) ? null : "JSON is wanted.";
    case "TEXT":
      return null;
  }
}

/** The text with values in the places of its variables; four braces stand for two. See docs/prompts.md. */
export function filled(content: string, written: Written): string {
  return content.replaceAll(/\{\{\{\{|\{\{\s*(\w+)\s*\}\}/g, (_, name?: string) =>
    name === undefined ? "{{" : (written[name] ?? ""),
  );
}

function valueOf(type: Variable["type"], text: string): unknown {
  return type === "TEXT" ? text : JSON.parse(text);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
