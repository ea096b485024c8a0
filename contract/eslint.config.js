// What the schema and the sample operations have to keep to. Run from the folder of the project, which paths are of.
import graphql from "@graphql-eslint/eslint-plugin";

const rule = (name) => `@graphql-eslint/${name}`;

const style = {
  types: "PascalCase",
  FieldDefinition: "camelCase",
  InputValueDefinition: "camelCase",
  Argument: "camelCase",
  DirectiveDefinition: "camelCase",
  EnumValueDefinition: "UPPER_CASE",
};

const files = (patterns, rules) => ({
  files: patterns,
  plugins: { "@graphql-eslint": graphql },
  languageOptions: {
    parser: graphql.parser,
    parserOptions: {
      graphQLConfig: { schema: "schema.graphql", documents: "contract/operations/*.graphql" },
    },
  },
  rules,
});

export default [
  files(["schema.graphql"], {
    ...graphql.configs["flat/schema-recommended"].rules,
    ...graphql.configs["flat/schema-relay"].rules,
    [rule("input-name")]: ["error", { checkInputType: true, checkQueries: false, caseSensitiveInputType: false }],
    [rule("naming-convention")]: ["error", style],
    [rule("no-scalar-result-type-on-mutation")]: "error",
    [rule("require-deprecation-date")]: "error",
    [rule("require-description")]: [
      "error",
      {
        types: true,
        rootField: true,
        DirectiveDefinition: true,
        EnumValueDefinition: true,
        FieldDefinition: true,
        InputValueDefinition: true,
      },
    ],
    // Lists beside connections are allowed: of what is few and bounded, as the tool calls of a message.
    [rule("relay-edge-types")]: [
      "error",
      { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false },
    ],
    // Objects that are no nodes (payloads, edges, events, figures) have no id.
    [rule("strict-id-in-types")]: "off",
    // `storyGeneration` of a story is no prefix: it is what the story was generated in.
    [rule("no-typename-prefix")]: "off",
  }),
  files(["contract/operations/*.graphql"], {
    ...graphql.configs["flat/operations-recommended"].rules,
    [rule("lone-executable-definition")]: ["error", { ignore: ["fragment"] }],
    // As Relay names them: by their file and what they are.
    [rule("naming-convention")]: [
      "error",
      { OperationDefinition: { style: "PascalCase", requiredPattern: /(Query|Mutation|Subscription)$/ } },
    ],
    [rule("selection-set-depth")]: ["error", { maxDepth: 7 }],
    [rule("require-selections")]: "error",
  }),
];
