import { fileURLToPath } from "node:url";

import optimizeLocales from "@react-aria/optimize-locales-plugin";
import { defineConfig } from "vite";

/** The single page apps of this package: each has a folder of that name, and is served under that path. */
const servedUnder: Record<string, string> = {
  console: "/",
  playground: "/graphiql/",
};

/** One build makes one app, chosen by `--mode`: each is served under its own path, with its own assets. */
export default defineConfig(({ mode }) => {
  const base = servedUnder[mode];
  if (base === undefined) {
    throw new Error(`--mode names an app, one of: ${Object.keys(servedUnder).join(", ")}`);
  }
  const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  return {
    root: folder(`./${mode}`),
    base,
    publicDir: false,
    // What the components say to screen readers comes in some thirty languages, and the pages are in one.
    plugins: [optimizeLocales.vite({ locales: ["en-US"] })],
    resolve: {
      alias: {
        // In a browser it would read an entity of Markdown by innerHTML, which trusted types refuse; elsewhere by a table.
        "decode-named-character-reference": folder("./node_modules/decode-named-character-reference/index.js"),
      },
    },
    build: {
      outDir: folder(`./dist/${mode}`),
      emptyOutDir: true,
      target: "es2022",
      // Fonts and images stay files: the content security policy admits no data: URL for a font.
      assetsInlineLimit: 0,
      // Every browser of the build target preloads modules itself.
      modulePreload: { polyfill: false },
      // Monaco alone is above the default of 500 kB; the figure is there to notice a jump.
      chunkSizeWarningLimit: 4_000,
      reportCompressedSize: false,
      rolldownOptions: {
        onLog(level, log, report) {
          // "use client" means something to servers that render React, and there is none here.
          if (log.code !== "MODULE_LEVEL_DIRECTIVE") {
            report(level, log);
          }
        },
      },
    },
    worker: { format: "es" },
    // `npm run dev -- --mode console` beside a server that runs: the page reloads itself, the graph is the server's.
    server: {
      proxy: Object.fromEntries(
        ["/graphql", "/attachments", "/messages", "/sessions", "/projects", "/health"].map((path) => [
          path,
          { target: "http://127.0.0.1:8000", ws: path === "/graphql" },
        ]),
      ),
    },
  };
});
