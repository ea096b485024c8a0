// @vitest-environment node
import { expect, it } from "vitest";

import { type Column, drawn, fileOf, isEmpty } from "./figures";

const row = (label: string) => ({ short: label, label, cells: [label] });
const column = (name: string, ...values: (string | null)[]): Column => ({ id: name, name, values });

it("writes all columns to the file, as they are", () => {
  const columns = [column("=evil", "1", null), column("b", "0.10", "2")];

  expect(fileOf({ heads: ["day"], rows: [row("one"), row("two")], columns })).toBe(
    "day,'=evil,b\r\none,1,0.10\r\ntwo,,2\r\n",
  );
});

it("draws the largest in their order, and the others together where that makes sense", () => {
  const columns = [column("a", "1"), column("b", "9"), { ...column("c", "2"), place: 9 }, column("d", "5")];

  expect(drawn(columns, true, 4).map(({ id, place }) => [id, place])).toEqual([
    ["a", 0],
    ["b", 1],
    ["c", 9],
    ["d", 3],
  ]);
  expect(drawn(columns, true, 3)).toEqual([
    { ...column("b", "9"), place: 1 },
    { ...column("d", "5"), place: 3 },
    { id: "others", name: "2 others", values: ["3"], place: -1 },
  ]);
  expect(drawn(columns, false, 3).map(({ id }) => id)).toEqual(["b", "c", "d"]);
});

it("is empty without anything but zeros", () => {
  expect(isEmpty({ heads: [], rows: [row("one")], columns: [column("a", "0"), column("b", null)] })).toBe(true);
  expect(isEmpty({ heads: [], rows: [row("one")], columns: [column("a", "0.001")] })).toBe(false);
});
