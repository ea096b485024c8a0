/** Letters, digits and hyphens, as files are called. */
export function slug(text: string): string {
  const made = text
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 60);
  return made || "untitled";
}

/** The file of a prompt: by the number of its story and its title, as in the archive. */
export function promptFile({ index, title }: { index: number; title: string }): string {
  return `${String(index + 1).padStart(2, "0")}-${slug(title)}.md`;
}
