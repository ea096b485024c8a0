// @vitest-environment node
import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

type Rgb = [number, number, number];

const tokens = readFileSync(new URL("../tokens.css", import.meta.url), "utf8");

/** The colour of a token, in light and dark. */
function colours(name: string): [light: Rgb, dark: Rgb] {
  const found = new RegExp(`--${name}: light-dark\\(#(\\w{6}), #(\\w{6})\\)`).exec(tokens);
  const rgb = (hex = ""): Rgb => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255) as Rgb;
  return [rgb(found?.[1]), rgb(found?.[2])];
}

const linear = (rgb: Rgb): Rgb =>
  rgb.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)) as Rgb;

/** WCAG 2.2. */
function contrast(one: Rgb, other: Rgb): number {
  const luminance = (rgb: Rgb) => {
    const [red, green, blue] = linear(rgb);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** What is seen without one kind of cones (Machado, Oliveira and Fernandes, 2009; severity 1). */
const SEEN: Record<string, [Rgb, Rgb, Rgb]> = {
  trichromacy: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
};

/** In Oklab, in which distances are as they are seen. */
function oklab(rgb: Rgb, seen: [Rgb, Rgb, Rgb]): Rgb {
  const from = linear(rgb);
  const times = (rows: readonly Rgb[], by: Rgb) =>
    rows.map((row) => row.reduce((so, part, at) => so + part * (by[at] ?? 0), 0));
  const visible = times(seen, from).map((part) => Math.min(1, Math.max(0, part))) as Rgb;
  const cones = times(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    visible,
  ).map(Math.cbrt) as Rgb;
  return times(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    cones,
  ) as Rgb;
}

const PLACES = Array.from({ length: 8 }, (_, place) => `series-${place + 1}`);

it.each(PLACES)("%s stands out from the surface, in light and dark", (name) => {
  const [light, dark] = colours(name);
  for (const surface of ["surface", "surface-raised"]) {
    const [onLight, onDark] = colours(surface);
    expect(contrast(light, onLight)).toBeGreaterThanOrEqual(3);
    expect(contrast(dark, onDark)).toBeGreaterThanOrEqual(3);
  }
});

it.each(Object.keys(SEEN))("no two look alike with %s", (kind) => {
  for (const theme of [0, 1] as const) {
    const seen = PLACES.slice(0, 7).map((name) =>
      oklab(
        colours(name)[theme],
        SEEN[kind] ?? [
          [0, 0, 0],
          [0, 0, 0],
          [0, 0, 0],
        ],
      ),
    );
    seen.forEach((one, at) => {
      for (const other of seen.slice(at + 1)) {
        expect(Math.hypot(...one.map((part, place) => part - (other[place] ?? 0)))).toBeGreaterThan(0.09);
      }
    });
  }
});
