import { OTHERS } from "./figures";

/**
 * How series are told apart: by colour, and beside it by what is seen without colours, dashes and dots of lines, hatching
 * of bars.
 */
export const colour = (place: number): string => `var(--series-${place === OTHERS ? 8 : (place % 7) + 1})`;

// Neither as many dashes nor as many hatchings as there are colours: what has the colour of another has another mark.
const DASHES = [undefined, "7 4", "2 3", "9 3 2 3", "12 4", "4 2 1 2", "1 4", "14 3 3 3"] as const;
const HATCHING = [
  "",
  "M-1 1l2-2M0 6l6-6M5 7l2-2",
  "M0 3h6",
  "M-1 5l2 2M0 0l6 6M5-1l2 2",
  "M3 0v6",
  "M0 3h6M3 0v6",
] as const;

const dash = (place: number) => DASHES[Math.max(0, place) % DASHES.length];
const hatch = (place: number) => HATCHING[Math.max(0, place) % HATCHING.length];

/** The dashes of a line; none of the first. */
export function dashes(place: number): { strokeDasharray?: string } {
  const found = dash(place);
  return found ? { strokeDasharray: found } : {};
}

/** A dot of a line: circle, square, triangle or diamond. */
export function Dot({ place, cx, cy }: { place: number; cx: number; cy: number }) {
  const paint = { fill: "var(--surface)", stroke: colour(place), strokeWidth: 1.5 };
  switch (Math.max(0, place) % 4) {
    case 0:
      return <circle cx={cx} cy={cy} r={3} {...paint} />;
    case 1:
      return <rect x={cx - 2.7} y={cy - 2.7} width={5.4} height={5.4} {...paint} />;
    case 2:
      return <path d={`M${cx} ${cy - 3.6}l3.4 6h-6.8z`} {...paint} />;
    default:
      return <path d={`M${cx} ${cy - 3.8}l3.8 3.8l-3.8 3.8l-3.8-3.8z`} {...paint} />;
  }
}

/** The hatching of bars, to be referred to by `fill(prefix, place)`. */
export function Hatchings({ prefix, places }: { prefix: string; places: readonly number[] }) {
  return (
    <defs>
      {places.map((place) => (
        <pattern key={place} id={`${prefix}-${place}`} width={6} height={6} patternUnits="userSpaceOnUse">
          <rect width={6} height={6} fill={colour(place)} />
          <path d={hatch(place)} stroke="var(--surface)" strokeWidth={1.2} />
        </pattern>
      ))}
    </defs>
  );
}

/** What a bar is filled with: the first plainly. */
export const fill = (prefix: string, place: number): string =>
  hatch(place) ? `url(#${prefix}-${place})` : colour(place);
