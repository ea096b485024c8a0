// @vitest-environment node
import { describe, expect, it } from "vitest";

import { csv } from "./csv";

describe("csv", () => {
  it("ends each line as RFC 4180 has it, and leaves numbers as they are", () => {
    expect(
      csv(
        ["start", "cost"],
        [
          ["2026-03-29", "0.1234567890"],
          ["2026-03-30", null],
        ],
      ),
    ).toBe("start,cost\r\n2026-03-29,0.1234567890\r\n2026-03-30,\r\n");
  });

  it.each([
    ["a,b", '"a,b"'],
    ['say "no"', '"say ""no"""'],
    ["two\nlines", '"two\nlines"'],
    [" spaced ", '" spaced "'],
    ["", ""],
  ])("quotes %j", (text, cell) => {
    expect(csv([text], [])).toBe(`${cell}\r\n`);
  });

  it.each([
    ["=1+1", "'=1+1"],
    ["+49", "'+49"],
    ["-1+1", "'-1+1"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["\t=1", "'\t=1"],
    ['=HYPERLINK("x","y")', '"\'=HYPERLINK(""x"",""y"")"'],
    ["-12.5", "-12.5"],
  ])("runs nothing of %j", (text, cell) => {
    expect(csv([text], [])).toBe(`${cell}\r\n`);
  });
});
