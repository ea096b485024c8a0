/** What a test run asks: a saved version with values, or the text of the draft with the values in it. */
import type { PromptTextFragment } from "../documents.generated";
import { draftOf, type Fields, newVariable, type Variable } from "../editing/draft";
import { filled, placeholdersIn } from "../editing/placeholders";
import { rendered, typed } from "../editing/values";
import type { ExecutePromptInput } from "./documents.generated";

export type Question = { kind: "ask"; input: ExecutePromptInput } | { kind: "problem"; problem: string };

/** As they were typed, by the names of the variables. */
export type TypedValues = Record<string, string>;

/** The variables that a text takes values for: those it declares, and those that it uses undeclared, as texts. */
export function variablesOf({ content, variables }: Fields): Variable[] {
  const undeclared = placeholdersIn(content).names.filter((name) => !variables.some((known) => known.name === name));
  return [...variables, ...undeclared.map(newVariable)];
}

/** The latest version, with these values. */
export function askSaved(template: PromptTextFragment, values: TypedValues): Question {
  const read = readValues(draftOf(template).base.variables, values);
  if ("problem" in read) {
    return { kind: "problem", problem: read.problem };
  }
  const variables = Object.fromEntries(read.given);
  return { kind: "ask", input: { templateId: template.id, version: template.version, variables } };
}

/** What the draft says, with these values: a text of its own, for the server does not know it. */
export function askUnsaved(fields: Fields, values: TypedValues): Question {
  const variables = variablesOf(fields);
  const { misplaced } = placeholdersIn(fields.content);
  if (misplaced) {
    return { kind: "problem", problem: `${misplaced.shown} in line ${misplaced.line} is no variable.` };
  }
  const read = readValues(variables, values);
  if ("problem" in read) {
    return { kind: "problem", problem: read.problem };
  }
  const texts = new Map<string, string>();
  for (const { name, type, default: raw } of variables) {
    const usual = typed(type, raw);
    if (read.given.has(name)) {
      texts.set(name, rendered(type, read.given.get(name)));
    } else if (usual.kind === "value") {
      texts.set(name, rendered(type, usual.value));
    }
  }
  return { kind: "ask", input: { content: filled(fields.content, texts) } };
}

function readValues(
  variables: readonly Variable[],
  values: TypedValues,
): { given: Map<string, unknown> } | { problem: string } {
  const given = new Map<string, unknown>();
  for (const { name, type, required, default: usual } of variables) {
    const value = typed(type, values[name] ?? "");
    if (value.kind === "problem") {
      return { problem: `${name}: ${value.problem}` };
    }
    if (value.kind === "value") {
      given.set(name, value.value);
    } else if (required && usual === "") {
      return { problem: `${name} needs a value.` };
    }
  }
  return { given };
}
