/** Which prompts are listed, and in which order: kept in the address of the page. */
import { STAGES, TYPES } from "../words";
import type { PromptLibraryQueryVariables, PromptTemplateFilter, PromptTemplateOrder } from "./documents.generated";

export const ORDERS: Record<PromptTemplateOrder, string> = {
  NAME_ASC: "Name, A to Z",
  NAME_DESC: "Name, Z to A",
  UPDATED_AT_DESC: "Changed last",
  UPDATED_AT_ASC: "Changed longest ago",
  CREATED_AT_DESC: "Newest",
  CREATED_AT_ASC: "Oldest",
};

export const DEFAULT_ORDER: PromptTemplateOrder = "NAME_ASC";

/** The conditions, by the names that they have in the address. */
export const CONDITIONS = ["text", "type", "stage", "enabled", "project", "organization", "label"] as const;
export type Condition = (typeof CONDITIONS)[number];

function oneOf<Word extends string>(words: Record<Word, string>, word: string | null): Word | null {
  return word !== null && word in words ? (word as Word) : null;
}

/** What the address asks for; words that there are not are no condition. */
export function asked(address: URLSearchParams): Pick<PromptLibraryQueryVariables, "filter" | "orderBy"> {
  const type = oneOf(TYPES, address.get("type"));
  const stage = oneOf(STAGES, address.get("stage"));
  const enabled = address.get("enabled");
  const words = {
    text: address.get("text"),
    projectId: address.get("project"),
    organizationId: address.get("organization"),
    label: address.get("label"),
  };
  const filter: PromptTemplateFilter = {
    ...Object.fromEntries(Object.entries(words).filter(([, value]) => value)),
    ...(type && { type }),
    ...(stage && { stage }),
    ...((enabled === "yes" || enabled === "no") && { enabled: enabled === "yes" }),
  };
  return {
    filter: Object.keys(filter).length > 0 ? filter : null,
    orderBy: oneOf(ORDERS, address.get("order")) ?? DEFAULT_ORDER,
  };
}
