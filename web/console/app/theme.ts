/** How bright the console is: as the system has it, or as was chosen on this device. */
export type Theme = "system" | "light" | "dark";

export const THEMES: readonly Theme[] = ["system", "light", "dark"];

const KEY = "colloquy.theme";

const listeners = new Set<() => void>();

/** What was chosen. */
export function theme(): Theme {
  const kept = localStorage.getItem(KEY);
  return THEMES.find((known) => known === kept) ?? "system";
}

/** Choose, on this device. */
export function setTheme(chosen: Theme): void {
  localStorage.setItem(KEY, chosen);
  applyTheme();
}

/** Show the page as was chosen; the stylesheet does the rest. */
export function applyTheme(): void {
  const chosen = theme();
  if (chosen === "system") {
    delete document.documentElement.dataset["theme"];
  } else {
    document.documentElement.dataset["theme"] = chosen;
  }
  for (const listener of listeners) {
    listener();
  }
}

/** Call back whenever another is chosen, in another tab too; the answer ends that. */
export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

addEventListener("storage", ({ key }) => {
  if (key === KEY) {
    applyTheme();
  }
});
