import { useQuery } from "@apollo/client/react";

import type { Choice } from "../../ui/fields";
import { WorkflowMeansDocument } from "./documents.generated";

export interface Means {
  mayEdit: boolean;
  mayReview: boolean;
  /** Models that can be asked, the one that is asked by default first. */
  models: readonly Choice<string>[];
}

/** What whoever is signed in may do with projects, and which models there are; nothing until that is known. */
export function useMeans(): Means {
  const { data } = useQuery(WorkflowMeansDocument, { fetchPolicy: "cache-first" });
  const roles = data?.viewer.roles ?? [];
  const models = (data?.models ?? [])
    .filter(({ configured }) => configured)
    .sort((one, other) => Number(other.isDefault) - Number(one.isDefault));
  return {
    mayEdit: roles.includes("EDITOR"),
    mayReview: roles.includes("REVIEWER"),
    models: models.map(({ id, isDefault }) => ({ value: id, label: isDefault ? `${id} (default)` : id })),
  };
}
