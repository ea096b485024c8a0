// Writes what front ends generate from the schema and the sample operations into a folder that is given.
//
//   node generate.js /tmp/some-folder
//
// In it are `typescript/` (types and typed documents, with the programs of programs/) and `relay/` (a project of
// relay-compiler over the same operations). Nothing is compiled or checked here.
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { codegen } from "@graphql-codegen/core";
import * as typedDocuments from "@graphql-codegen/typed-document-node";
import * as operationTypes from "@graphql-codegen/typescript-operations";
import { parse, print } from "graphql";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const SCALARS = {
  BigInt: "string",
  DateTime: "string",
  Decimal: "string",
  JSON: "unknown",
  Upload: "Blob",
};

/** The sample operations: name of the file without its end, and what is in it. */
const operations = readdirSync(here("operations")).map((name) => ({
  location: here(`operations/${name}`),
  name: name.replace(".graphql", ""),
  document: parse(readFileSync(here(`operations/${name}`), "utf8")),
}));

const schema = readFileSync(here("../schema.graphql"), "utf8");

async function writeTypes(folder) {
  mkdirSync(folder, { recursive: true });
  const config = {
    strictScalars: true,
    scalars: SCALARS,
    useTypeImports: true,
    enumsAsTypes: true,
    dedupeOperationSuffix: true,
    skipTypename: true,
  };
  const generated = await codegen({
    filename: join(folder, "generated.ts"),
    schema: parse(schema),
    documents: operations,
    config,
    plugins: [{ operations: {} }, { documents: {} }],
    pluginMap: { operations: operationTypes, documents: typedDocuments },
  });
  writeFileSync(join(folder, "generated.ts"), generated);
  cpSync(here("programs"), folder, { recursive: true });
  cpSync(here("tsconfig.json"), join(folder, "tsconfig.json"));
}

function writeRelayProject(folder) {
  mkdirSync(join(folder, "src"), { recursive: true });
  mkdirSync(join(folder, "out"));
  writeFileSync(join(folder, "schema.graphql"), schema);
  for (const { name, document } of operations) {
    // Relay takes one definition from each tag.
    const tags = document.definitions.map((definition) => `graphql\`\n${print(definition)}\n\`;\n`);
    writeFileSync(join(folder, "src", `${name}.ts`), `import { graphql } from "relay-runtime";\n\n${tags.join("\n")}`);
  }
  cpSync(here("relay"), join(folder, "src"), { recursive: true });
  const config = {
    src: "./src",
    schema: "./schema.graphql",
    language: "typescript",
    artifactDirectory: "./out",
    eagerEsModules: true,
    noFutureProofEnums: false,
    customScalarTypes: SCALARS,
  };
  writeFileSync(join(folder, "relay.config.json"), JSON.stringify(config));
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("say where to: node generate.js /tmp/some-folder");
mkdirSync(folder, { recursive: true });
symlinkSync(here("node_modules"), join(folder, "node_modules"));
await writeTypes(join(folder, "typescript"));
writeRelayProject(join(folder, "relay"));
