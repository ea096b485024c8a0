import { CONTENT } from "./arrival";
import { router } from "./router";

/** For a page to show its search. */
const PATIENCE_MS = 5_000;

/** Put the focus on the search of the page; where it has none, on that of the conversations. */
export async function focusSearch(): Promise<void> {
  if (focus()) {
    return;
  }
  await router.navigate("/chat");
  const content = document.getElementById(CONTENT);
  if (focus() || !content) {
    return;
  }
  const watching = new MutationObserver(() => focus() && watching.disconnect());
  watching.observe(content, { childList: true, subtree: true });
  setTimeout(() => watching.disconnect(), PATIENCE_MS);
}

function focus(): boolean {
  const search = document.querySelector<HTMLElement>(`#${CONTENT} [type='search'], #${CONTENT} [role='search'] input`);
  search?.focus();
  return search !== null;
}
