import { expect, test } from "vitest";

import { filled, placeholdersIn } from "./placeholders";

test("variables are found once each, in their order, whatever stands around their names", () => {
  const { names, misplaced } = placeholdersIn("{{ b }} {{a}} {{\n b\t}} {single} }} {% raw %}");

  expect(names).toEqual(["b", "a"]);
  expect(misplaced).toBeNull();
});

test.each(["{{#items}}", "{{ user.name }}", "{{{html}}}", "{{name | upper}}", "{{}}", "{{ 1st }}", "{{ſ}}"])(
  "%s is no variable",
  (tag) => {
    const { names, misplaced } = placeholdersIn(`first\n  ${tag} {{ok}}`);

    expect(names).toContain("ok");
    expect(misplaced).toMatchObject({ line: 2, column: 3 });
  },
);

test("a name has at most 64 characters", () => {
  expect(placeholdersIn(`{{${"a".repeat(64)}}}`).misplaced).toBeNull();
  expect(placeholdersIn(`{{${"a".repeat(65)}}}`).misplaced?.shown).toBe(`{{${"a".repeat(38)}…`);
});

test("four braces are two in the text", () => {
  expect(placeholdersIn("{{{{ name }}")).toEqual({ names: [], misplaced: null });
  expect(filled("{{{{ name }}", new Map([["name", "x"]]))).toBe("{{ name }}");
});

test("a value is never looked at again", () => {
  const texts = new Map([
    ["a", "{{b}} $& {{{{"],
    ["b", "no"],
  ]);

  expect(filled("<{{a}}|{{ c }}>", texts)).toBe("<{{b}} $& {{{{|>");
});
