import "@fontsource/fira-code/latin-400.css";
import "@fontsource/roboto/latin-400.css";
import "@fontsource/roboto/latin-500.css";
// Not graphiql/style.css, which is for pages without a bundler: it repeats Monaco's styles and carries its fonts as data: URLs.
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "@graphiql/plugin-explorer/style.css";
import "graphiql/graphiql.css";
import "./style.css";

import "graphiql/setup-workers/vite";

import { explorerPlugin } from "@graphiql/plugin-explorer";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { createRoot } from "react-dom/client";

import { fetcher } from "./fetcher";
import { firstHeaders, firstQuery } from "./texts";

// Made once, outside the component: GraphiQL takes a new list for new plugins and closes the open one.
const plugins = [HISTORY_PLUGIN, explorerPlugin({ showAttribution: false })];

function Playground() {
  return (
    <GraphiQL
      fetcher={fetcher}
      plugins={plugins}
      defaultQuery={firstQuery}
      defaultHeaders={firstHeaders}
      defaultEditorToolsVisibility="headers"
      inputValueDeprecation
    >
      <GraphiQL.Logo>Colloquy</GraphiQL.Logo>
    </GraphiQL>
  );
}

const root = document.getElementById("playground");
if (root === null) {
  throw new Error("the page has no #playground element");
}
createRoot(root).render(<Playground />);
