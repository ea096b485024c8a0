import { expect, test } from "vitest";

import { asked, asking } from "./filter";

test("an address without conditions asks for all, by name", () => {
  expect(asked(new URLSearchParams())).toEqual({ filter: null, orderBy: "NAME_ASC" });
});

test("every condition goes through the address", () => {
  const address = (
    [
      ["text", "100%"],
      ["type", "CUSTOM"],
      ["stage", "PROJECT_PLANNING"],
      ["enabled", "no"],
      ["project", "shop"],
      ["organization", "acme"],
      ["label", "production"],
      ["order", "UPDATED_AT_DESC"],
    ] as const
  ).reduce((address, [what, value]) => asking(address, what, value), new URLSearchParams());

  expect(asked(new URLSearchParams(address.toString()))).toEqual({
    filter: {
      text: "100%",
      type: "CUSTOM",
      stage: "PROJECT_PLANNING",
      enabled: false,
      projectId: "shop",
      organizationId: "acme",
      label: "production",
    },
    orderBy: "UPDATED_AT_DESC",
  });
});

test("what there is not is no condition, and what is taken back leaves the address", () => {
  const address = new URLSearchParams("type=NOVEL&order=RANDOM&enabled=perhaps&text=x");

  expect(asked(asking(address, "text", ""))).toEqual({ filter: null, orderBy: "NAME_ASC" });
});
