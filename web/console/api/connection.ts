/** Whether the server is heard of: what the banner at the top of every page shows. */
export type Connection = "idle" | "connected" | "reconnecting";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;

let ofSocket: Connection = "idle";
let isReached = true;
let told: Connection = "idle";
const listeners = new Set<() => void>();

/** As it is now; `idle` while nothing is followed. */
export function connection(): Connection {
  return isReached ? ofSocket : "reconnecting";
}

/** Note how the socket is. */
export function setConnection(next: Connection): void {
  ofSocket = next;
  tell();
}

/** Note that a request found no server. From then on it is asked whether it lives, until it says so. */
export function setUnreached(): void {
  if (isReached) {
    isReached = false;
    tell();
    void lookForIt();
  }
}

/** Call back at each change; the answer ends that. */
export function onConnection(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

async function lookForIt(): Promise<void> {
  let pause = FIRST_PAUSE_MS;
  do {
    await Promise.race([
      new Promise((resolve) => setTimeout(resolve, pause)),
      new Promise((resolve) => addEventListener("online", resolve, { once: true })),
    ]);
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  } while (!(await answers()));
  isReached = true;
  tell();
}

async function answers(): Promise<boolean> {
  try {
    return (await fetch("/health/live", { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

function tell(): void {
  if (connection() !== told) {
    told = connection();
    for (const listener of listeners) {
      listener();
    }
  }
}

addEventListener("offline", setUnreached);
