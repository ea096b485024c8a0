/**
 * Types the documents of the console by `../schema.graphql`.
 *
 * Beside each `*.graphql` comes a module with its typed documents, so that a page loads its own and no others; any may
 * spread fragments of another.
 * `console/api/possibleTypes.generated.ts` tells the cache which types an interface or a union has. A document that
 * the schema does not admit ends the build.
 */
import { glob, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { codegen } from "@graphql-codegen/core";
import * as fragmentMatcher from "@graphql-codegen/fragment-matcher";
import * as typedDocumentNode from "@graphql-codegen/typed-document-node";
import * as operations from "@graphql-codegen/typescript-operations";
import {
  buildSchema,
  type DocumentNode,
  type FragmentDefinitionNode,
  Kind,
  NoUnusedFragmentsRule,
  parse,
  print,
  specifiedRules,
  validate,
  visit,
} from "graphql";

const PLUGINS = { fragmentMatcher, operations, typedDocumentNode };

const CONFIG = {
  // As docs/conventions.md has them: what JavaScript's numbers would round comes as a string.
  scalars: {
    BigInt: "string",
    DateTime: "string",
    Decimal: "string",
    JSON: "unknown",
    Upload: "File",
  },
  useTypeImports: true,
  useConsts: true,
  // The client asks for it everywhere.
  nonOptionalTypename: true,
  optimizeDocumentNode: true,
};

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const text = await readFile(here("../schema.graphql"), "utf8");
const schema = buildSchema(text);

async function generate(filename: string, plugins: (keyof typeof PLUGINS)[], document?: DocumentNode): Promise<void> {
  const made = await codegen({
    filename,
    schema: parse(text),
    schemaAst: schema,
    documents: document ? [{ location: filename, document, rawSDL: print(document) }] : [],
    config: {},
    plugins: plugins.map((name) => ({ [name]: CONFIG })),
    pluginMap: PLUGINS,
  });
  // An unchanged file keeps its time, so that nobody builds again.
  if (made !== (await readFile(filename, "utf8").catch(() => null))) {
    await writeFile(filename, made);
  }
}

await generate(here("console/api/possibleTypes.generated.ts"), ["fragmentMatcher"]);

/** The documents by their files, and every fragment by its name. */
const documents = new Map<string, DocumentNode>();
const fragments = new Map<string, FragmentDefinitionNode>();
for await (const name of glob("console/**/*.graphql", { cwd: here(".") })) {
  const document = parse(await readFile(here(name), "utf8"));
  documents.set(name, document);
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments.set(definition.name.value, definition);
    }
  }
}

/** The document with the fragments of other files that it spreads, and with those that they spread. */
function complete(document: DocumentNode): DocumentNode {
  const definitions = [...document.definitions];
  const has = (name: string): boolean =>
    definitions.some((known) => known.kind === Kind.FRAGMENT_DEFINITION && known.name.value === name);
  // It grows while it is walked.
  for (const definition of definitions) {
    visit(definition, {
      FragmentSpread({ name }) {
        const spread = fragments.get(name.value);
        if (spread && !has(name.value)) {
          definitions.push(spread);
        }
      },
    });
  }
  return { ...document, definitions };
}

for (const [name, document] of documents) {
  const whole = complete(document);
  const [error] = validate(
    schema,
    whole,
    specifiedRules.filter((rule) => rule !== NoUnusedFragmentsRule),
  );
  if (error) {
    throw new Error(`web/${name}: ${error.message}`);
  }
  await generate(here(name).replace(/\.graphql$/, ".generated.ts"), ["operations", "typedDocumentNode"], whole);
}
