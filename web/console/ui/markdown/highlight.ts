import type { RootContent } from "hast";
import { createLowlight } from "lowlight";

import { grammarsOf } from "./languages";

/** What a part of code is, as far as it has a colour. */
export type Kind = "comment" | "keyword" | "string" | "number" | "name" | "added" | "removed";

export interface Piece {
  text: string;
  /** Null where it has none. */
  kind: Kind | null;
}

const KINDS: Record<string, Kind> = {
  comment: "comment",
  quote: "comment",
  meta: "comment",
  keyword: "keyword",
  "selector-tag": "keyword",
  literal: "keyword",
  doctag: "keyword",
  name: "keyword",
  string: "string",
  regexp: "string",
  symbol: "string",
  link: "string",
  number: "number",
  attr: "name",
  attribute: "name",
  title: "name",
  type: "name",
  built_in: "name",
  property: "name",
  section: "name",
  variable: "number",
  "template-variable": "number",
  addition: "added",
  deletion: "removed",
};

const lowlight = createLowlight();

/** Code in pieces; of a language that is not known it is one. Rejected where the language could not be loaded. */
export async function highlight(language: string, code: string): Promise<Piece[]> {
  const grammars = await grammarsOf(language);
  for (const [name, grammar] of grammars) {
    if (!lowlight.registered(name)) {
      lowlight.register(name, grammar);
    }
  }
  const name = grammars[0]?.[0];
  if (name === undefined) {
    return [{ text: code, kind: null }];
  }
  return lowlight.highlight(name, code).children.flatMap((node) => piecesOf(node, null));
}

function piecesOf(node: RootContent, outer: Kind | null): Piece[] {
  if (node.type === "text") {
    return [{ text: node.value, kind: outer }];
  }
  if (node.type !== "element") {
    return [];
  }
  const classes = node.properties["className"];
  const kind = (Array.isArray(classes) ? classes : [])
    .map((name) => KINDS[name.replace(/^hljs-/, "")])
    .find((known) => known !== undefined);
  return node.children.flatMap((child) => piecesOf(child, kind ?? outer));
}
