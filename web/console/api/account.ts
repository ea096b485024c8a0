/**
 * Who is asking. Where authentication is on, a token or an API key lets a person in; where it is off, a name does.
 *
 * It is kept for as long as the tab is open, or on this device where the person wants that. The content security policy
 * lets no script in but the console's own, so that nobody else's can read it.
 */
export type Account = { kind: "credential"; credential: string } | { kind: "name"; user: string };

/** All that the console keeps in a browser is under names that begin so. */
const PREFIX = "colloquy.";

const KEY = `${PREFIX}account`;

/** In each storage: whose the drafts are that are kept there, `user@tenant`. */
const OWNER = `${PREFIX}owner`;

/** What belongs to the device, whoever uses it. */
const OF_DEVICE: readonly string[] = [KEY, OWNER, `${PREFIX}theme`];

const current = read();

function read(): Account | null {
  const ofTab = sessionStorage.getItem(KEY);
  if (ofTab === null) {
    // On this device somebody else may have come meanwhile, in another tab: what this one kept is not theirs.
    own(sessionStorage, localStorage.getItem(OWNER));
  }
  const kept = ofTab ?? localStorage.getItem(KEY);
  try {
    return kept === null ? null : (JSON.parse(kept) as Account);
  } catch {
    return null;
  }
}

/** Who is asking now; null for whoever the server takes a caller without a name for. */
export function account(): Account | null {
  return current;
}

export interface SignIn {
  /** Null for whoever the server takes a caller without a name for. */
  account: Account | null;
  /** Who that is to the server, `user@tenant`: what somebody else has left on this device is forgotten. */
  owner: string;
  /** Whether it is kept on this device after the tab is closed. */
  remember: boolean;
}

/**
 * Ask as this one, once a page is loaded: whoever comes or goes begins with a new one, so that nothing that one person was
 * shown is in the memory of the next.
 */
export function signIn({ account, owner, remember }: SignIn): void {
  own(localStorage, owner);
  own(sessionStorage, owner);
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
  if (account) {
    (remember ? localStorage : sessionStorage).setItem(KEY, JSON.stringify(account));
  }
}

/** Ask without a name or a credential, once a page is loaded; drafts go as well. */
export function signOut(): void {
  for (const storage of [localStorage, sessionStorage]) {
    own(storage, null);
    storage.removeItem(KEY);
  }
}

/** What a request says of its caller: headers over HTTP, and the payload of `connection_init` on a socket. */
export function identification(of: Account | null = current): Record<string, string> {
  if (of === null) {
    return {};
  }
  return of.kind === "credential" ? { Authorization: `Bearer ${of.credential}` } : { "X-Colloquy-User": of.user };
}

let sendToSignIn: () => void = () => undefined;

/** Have whoever the server does not let in sent to where they sign in. */
export function onRefused(send: () => void): void {
  sendToSignIn = send;
}

/** The server has not let the caller in, or not any more: a token ends, a key is revoked. */
export function refused(): void {
  sendToSignIn();
}

/** Call back when another tab has signed in or out on this device. */
export function onAnotherTab(listener: () => void): void {
  addEventListener("storage", ({ key, oldValue, newValue }) => {
    if (key === KEY && oldValue !== newValue && sessionStorage.getItem(KEY) === null) {
      listener();
    }
  });
}

/** Have the storage be this one's: what another has left there goes. */
function own(storage: Storage, owner: string | null): void {
  if (storage.getItem(OWNER) === owner) {
    return;
  }
  for (const key of Object.keys(storage)) {
    if (key.startsWith(PREFIX) && !OF_DEVICE.includes(key)) {
      storage.removeItem(key);
    }
  }
  if (owner === null) {
    storage.removeItem(OWNER);
  } else {
    storage.setItem(OWNER, owner);
  }
}
