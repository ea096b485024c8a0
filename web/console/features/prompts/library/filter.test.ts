import { expect, test } from "vitest";

import { asked } from "./filter";

test("an address without conditions asks for all, by name", () => {
  expect(asked(new URLSearchParams())).toEqual({ filter: null, orderBy: "NAME_ASC" });
});

test("every condition goes through the address", () => {
  const address = new URLSearchParams({
    text: "100%",
    type: "CUSTOM",
    stage: "PROJECT_PLANNING",
    enabled: "no",
    project: "shop",
    organization: "acme",
    label: "production",
    order: "UPDATED_AT_DESC",
  });

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

test("what there is not is no condition", () => {
  expect(asked(new URLSearchParams("type=NOVEL&order=RANDOM&enabled=perhaps&text="))).toEqual({
    filter: null,
    orderBy: "NAME_ASC",
  });
});
