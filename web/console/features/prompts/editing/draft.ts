/** What a person makes of a prompt before it is saved. */
import type { PromptTextFragment, PromptType, PromptVariableType } from "../documents.generated";
import type { PromptVariableInput, UpdatePromptTemplateInput } from "./documents.generated";
import { TYPES, VARIABLE_TYPES } from "../words";
import { asTyped, typed } from "./values";

/** A variable as the form has it. */
export interface Variable {
  name: string;
  type: PromptVariableType;
  description: string;
  required: boolean;
  /** As it is typed; empty where there is none. */
  default: string;
}

/** What a version says, as the form has it. */
export interface Fields {
  name: string;
  description: string;
  type: PromptType;
  content: string;
  variables: Variable[];
}

export interface Draft {
  /** The version that it was begun from. */
  version: number;
  base: Fields;
  fields: Fields;
}

type Said = Pick<PromptTextFragment, "name" | "type" | "content"> & {
  description?: string | null;
  variables: PromptTextFragment["declaredVariables"];
};

/** What a template or a version of it says. */
export function fieldsOf({ name, description, type, content, variables }: Said): Fields {
  return {
    name,
    description: description ?? "",
    type,
    content,
    variables: variables.map((variable) => ({
      name: variable.name,
      type: variable.type,
      description: variable.description ?? "",
      required: variable.required,
      default: asTyped(variable.type, variable.default),
    })),
  };
}

/** What the template says now, with nothing changed. */
export function draftOf(template: PromptTextFragment): Draft {
  const base = fieldsOf({ ...template, variables: template.declaredVariables });
  return { version: template.version, base, fields: base };
}

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Which members say something else. */
export function changed(before: Fields, after: Fields): (keyof Fields)[] {
  return (Object.keys(after) as (keyof Fields)[]).filter((member) => !same(before[member], after[member]));
}

/** Whether there is anything to save. */
export function isChanged({ base, fields }: Draft): boolean {
  return changed(base, fields).length > 0;
}

/** A variable as it is first declared. */
export function newVariable(name: string): Variable {
  return { name, type: "TEXT", description: "", required: true, default: "" };
}

/** Variables as they are sent; a default that is not of its type is sent as none, which `problemsOf` tells before. */
export function asInput(variables: readonly Variable[]): PromptVariableInput[] {
  return variables.map(({ name, type, description, required, default: raw }) => {
    const value = typed(type, raw);
    return {
      name,
      type,
      description: description || null,
      required,
      ...(value.kind === "value" && { default: value.value }),
    };
  });
}

/** What a draft would have saved: only what was changed, so that another's change of the rest stays. */
export function changesOf({ base, fields }: Draft): Omit<UpdatePromptTemplateInput, "templateId" | "expectedVersion"> {
  const { variables, description, ...rest } = Object.fromEntries(
    changed(base, fields).map((member) => [member, fields[member]]),
  ) as Partial<Fields>;
  return {
    ...rest,
    ...(description !== undefined && { description: description || null }),
    ...(variables && { variables: asInput(variables) }),
  };
}

/** What the draft says, upon another version: what was not changed is as that version says it. */
export function rebased({ base, fields }: Draft, version: number, onto: Fields): Draft {
  const mine = Object.fromEntries(changed(base, fields).map((member) => [member, fields[member]])) as Partial<Fields>;
  return { version, base: onto, fields: { ...onto, ...mine } };
}

/** What else than its text a version says, one thing a line: what is compared beside the text. */
export function aboutOf({ name, description, type, variables }: Fields): string {
  const lines = variables.map(({ name, type, description, required, default: raw }) =>
    [
      `Variable ${name}: ${VARIABLE_TYPES[type]}, ${required && raw === "" ? "required" : "optional"}`,
      ...(raw === "" ? [] : [`  Default: ${raw}`]),
      ...(description === "" ? [] : [`  ${description}`]),
    ].join("\n"),
  );
  return [`Name: ${name}`, `Type: ${TYPES[type]}`, `Description: ${description}`, ...lines].join("\n");
}

/** The defaults that are not of their type, by the names of their variables. */
export function problemsOf(variables: readonly Variable[]): Map<string, string> {
  const problems = new Map<string, string>();
  for (const { name, type, default: raw } of variables) {
    const value = typed(type, raw);
    if (value.kind === "problem") {
      problems.set(name, value.problem);
    }
  }
  return problems;
}
