/**
 * Writes what servers hand out compressed: beside each text that a build left in `dist`, the same by Brotli and by gzip.
 *
 * Done once and thoroughly, since a server that compressed as it answers could not afford it.
 */
import { glob, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** Below this a header costs what is saved. */
const SMALLEST_BYTES = 1_024;

/** Above this, which Monaco alone has, the last twentieth that Brotli saves takes seconds for each file. */
const THOROUGH_BYTES = 1_000_000;

const dist = fileURLToPath(new URL("dist/", import.meta.url));

async function compress(name: string): Promise<void> {
  const text = await readFile(dist + name);
  if (text.length < SMALLEST_BYTES) {
    return;
  }
  const params = {
    [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
    [constants.BROTLI_PARAM_QUALITY]: text.length > THOROUGH_BYTES ? 9 : constants.BROTLI_MAX_QUALITY,
  };
  await Promise.all([
    promisify(brotliCompress)(text, { params }).then((made) => writeFile(`${dist}${name}.br`, made)),
    promisify(gzip)(text, { level: constants.Z_BEST_COMPRESSION }).then((made) => writeFile(`${dist}${name}.gz`, made)),
  ]);
}

const compressing: Promise<void>[] = [];
for await (const name of glob("**/*.{css,html,js,svg}", { cwd: dist })) {
  compressing.push(compress(name));
}
await Promise.all(compressing);
