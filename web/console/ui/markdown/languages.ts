import type { LanguageFn } from "lowlight";

interface Language {
  /** What else is written behind a fence for it. */
  aliases?: readonly string[];
  load: () => Promise<{ default: LanguageFn }>;
  /** Languages that stand within its code, and are coloured there. */
  within?: readonly string[];
}

/** The languages that have colours, by their names. Each is a file of its own, which a page loads when it shows some. */
const LANGUAGES: Record<string, Language> = {
  arduino: { aliases: ["ino"], load: () => import("highlight.js/lib/languages/arduino") },
  bash: { aliases: ["sh", "zsh"], load: () => import("highlight.js/lib/languages/bash") },
  c: { aliases: ["h"], load: () => import("highlight.js/lib/languages/c") },
  cpp: { aliases: ["cc", "c++", "hpp", "cxx"], load: () => import("highlight.js/lib/languages/cpp") },
  csharp: { aliases: ["cs", "c#"], load: () => import("highlight.js/lib/languages/csharp") },
  css: { load: () => import("highlight.js/lib/languages/css") },
  dart: { load: () => import("highlight.js/lib/languages/dart") },
  diff: { aliases: ["patch"], load: () => import("highlight.js/lib/languages/diff") },
  dockerfile: { aliases: ["docker"], load: () => import("highlight.js/lib/languages/dockerfile"), within: ["bash"] },
  elixir: { aliases: ["ex", "exs"], load: () => import("highlight.js/lib/languages/elixir") },
  go: { aliases: ["golang"], load: () => import("highlight.js/lib/languages/go") },
  graphql: { aliases: ["gql"], load: () => import("highlight.js/lib/languages/graphql") },
  haskell: { aliases: ["hs"], load: () => import("highlight.js/lib/languages/haskell") },
  http: { load: () => import("highlight.js/lib/languages/http") },
  ini: { aliases: ["toml"], load: () => import("highlight.js/lib/languages/ini") },
  java: { load: () => import("highlight.js/lib/languages/java") },
  javascript: { aliases: ["js", "jsx", "mjs", "cjs"], load: () => import("highlight.js/lib/languages/javascript") },
  json: { aliases: ["jsonc", "json5", "jsonl"], load: () => import("highlight.js/lib/languages/json") },
  kotlin: { aliases: ["kt", "kts"], load: () => import("highlight.js/lib/languages/kotlin") },
  less: { load: () => import("highlight.js/lib/languages/less") },
  lua: { load: () => import("highlight.js/lib/languages/lua") },
  makefile: { aliases: ["make", "mk"], load: () => import("highlight.js/lib/languages/makefile") },
  markdown: { aliases: ["md"], load: () => import("highlight.js/lib/languages/markdown"), within: ["xml"] },
  nginx: { load: () => import("highlight.js/lib/languages/nginx") },
  objectivec: { aliases: ["objc", "obj-c"], load: () => import("highlight.js/lib/languages/objectivec") },
  perl: { aliases: ["pl"], load: () => import("highlight.js/lib/languages/perl") },
  php: { load: () => import("highlight.js/lib/languages/php") },
  powershell: { aliases: ["ps1", "pwsh"], load: () => import("highlight.js/lib/languages/powershell") },
  python: { aliases: ["py"], load: () => import("highlight.js/lib/languages/python") },
  "python-repl": {
    aliases: ["pycon"],
    load: () => import("highlight.js/lib/languages/python-repl"),
    within: ["python"],
  },
  r: { load: () => import("highlight.js/lib/languages/r") },
  ruby: { aliases: ["rb"], load: () => import("highlight.js/lib/languages/ruby") },
  rust: { aliases: ["rs"], load: () => import("highlight.js/lib/languages/rust") },
  scala: { load: () => import("highlight.js/lib/languages/scala") },
  scss: { load: () => import("highlight.js/lib/languages/scss") },
  shell: {
    aliases: ["console", "shellsession"],
    load: () => import("highlight.js/lib/languages/shell"),
    within: ["bash"],
  },
  sql: { load: () => import("highlight.js/lib/languages/sql") },
  swift: { load: () => import("highlight.js/lib/languages/swift") },
  typescript: { aliases: ["ts", "tsx", "mts", "cts"], load: () => import("highlight.js/lib/languages/typescript") },
  vbnet: { aliases: ["vb"], load: () => import("highlight.js/lib/languages/vbnet") },
  wasm: { load: () => import("highlight.js/lib/languages/wasm") },
  xml: {
    aliases: ["html", "svg", "xhtml", "rss", "vue"],
    load: () => import("highlight.js/lib/languages/xml"),
    within: ["css", "javascript"],
  },
  yaml: { aliases: ["yml"], load: () => import("highlight.js/lib/languages/yaml") },
};

const NAMES = new Map(
  Object.entries(LANGUAGES).flatMap(([name, { aliases = [] }]) => [name, ...aliases].map((known) => [known, name])),
);

/** The grammars for a language and for those within it, the own one first; none where the language is not known. */
export async function grammarsOf(language: string): Promise<[name: string, grammar: LanguageFn][]> {
  const name = NAMES.get(language.toLowerCase());
  const wanted = name === undefined ? [] : [name, ...(LANGUAGES[name]?.within ?? [])];
  return Promise.all(
    wanted.flatMap((each) => {
      const known = LANGUAGES[each];
      return known ? [known.load().then((loaded): [string, LanguageFn] => [each, loaded.default])] : [];
    }),
  );
}
