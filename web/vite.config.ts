import { fileURLToPath } from "node:url";

import { defineConfig } from "vite";

/** The single page apps of this package: each has a folder of that name, and is served under that path. */
const servedUnder: Record<string, string> = {
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
  };
});
