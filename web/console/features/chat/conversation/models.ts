import type { ComposerChoicesQuery } from "./documents.generated";

type Model = ComposerChoicesQuery["models"][number];

/** A session's own model as it is named everywhere: `provider:model`. */
export function modelOf({ provider, model }: { provider: string | null; model: string | null }): string | null {
  return provider && model ? `${provider}:${model}` : model;
}

/** The models to choose from: those that can be asked, and what is chosen. */
export function choicesOf(models: readonly Model[], chosen: string): { value: string; label: string }[] {
  const ids = models.filter(({ configured }) => configured).map(({ id }) => id);
  return (ids.includes(chosen) ? ids : [chosen, ...ids]).map((id) => ({ value: id, label: id }));
}
