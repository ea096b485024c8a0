import { toast } from "../ui/toasts";
import { identification } from "./account";
import { type Refusal, tell, tellRefusal } from "./errors";

/** What a path of the server holds, asked as whoever is signed in: a link could not show who asks. */
export async function fetchFile(path: string, signal?: AbortSignal): Promise<Blob> {
  const response = await fetch(path, { headers: identification(), ...(signal && { signal }) });
  if (!response.ok) {
    const said = (await response.json().catch(() => null)) as { error?: Refusal } | null;
    throw new Error(said?.error ? tellRefusal(said.error).title : `The server answered ${response.status}.`);
  }
  return response.blob();
}

/** Have the browser keep it under this name; a failure is told. */
export async function download(path: string, name: string): Promise<void> {
  let file: Blob;
  try {
    file = await fetchFile(path);
  } catch (error) {
    if (await toast.failure(tell(error), true)) {
      await download(path, name);
    }
    return;
  }
  save(file, name);
}

/** Have the browser keep what the page has made. */
export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // Later, since the browser begins to read after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
