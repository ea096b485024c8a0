import { identification } from "../../../api/account";
import { client } from "../../../api/client";
import type { Refusal } from "../../../api/errors";
import { type AttachmentPartsFragment, AttachmentPartsFragmentDoc } from "./parts.generated";

/** As docs/attachments.md has it; what is larger need not be sent to be refused. */
export const LARGEST_FILE_BYTES = 10_485_760;

/** Why a file was not stored. */
export class UploadRefused extends Error {
  readonly refusal: Refusal;
  /** Whether sending it again may help. */
  readonly retryable: boolean;

  constructor(refusal: Refusal, retryable: boolean) {
    super(refusal.message);
    this.refusal = refusal;
    this.retryable = retryable;
  }
}

export interface UploadOptions {
  /** The same for each attempt to send the same file, so that it is stored once. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

/**
 * Store a file beside a message; `onProgress` is told which part of it has gone, from 0 to 1. Refused, it ends with
 * `UploadRefused`; called off by the signal, with its reason.
 */
export async function uploadFile(
  messageId: string,
  file: File,
  onProgress: (part: number) => void,
  { idempotencyKey = crypto.randomUUID(), signal }: UploadOptions = {},
): Promise<AttachmentPartsFragment> {
  if (file.size > LARGEST_FILE_BYTES) {
    const message = `It is larger than ${LARGEST_FILE_BYTES / 2 ** 20} MiB.`;
    throw new UploadRefused({ code: "LIMIT_EXCEEDED", message, hint: "Send a smaller one." }, false);
  }
  signal?.throwIfAborted();
  const path = `/messages/${encodeURIComponent(messageId)}/attachments?fileName=${encodeURIComponent(file.name)}`;
  const stored = await sent(path, file, idempotencyKey, onProgress, signal);
  remember(messageId, stored);
  return stored;
}

/** As the server answers. */
type Stored = Omit<AttachmentPartsFragment, "__typename" | "size"> & { size: number };

/** By XMLHttpRequest: `fetch` does not tell how much has gone. */
function sent(
  path: string,
  file: File,
  idempotencyKey: string,
  onProgress: (part: number) => void,
  signal: AbortSignal | undefined,
): Promise<AttachmentPartsFragment> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    const headers = { ...identification(), "X-Colloquy-Preflight": "1", "Idempotency-Key": idempotencyKey };
    for (const [name, value] of Object.entries(headers)) {
      request.setRequestHeader(name, value);
    }
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => onProgress(total === 0 ? 0 : loaded / total);
    request.onload = () => {
      if (request.status === 201) {
        const { id, fileName, contentType, size, url } = request.response as Stored;
        resolve({ __typename: "MessageAttachment", id, fileName, contentType, size: String(size), url });
      } else {
        reject(refusalOf(request));
      }
    };
    request.onerror = () => reject(new TypeError("The server cannot be reached."));
    request.onabort = () => reject(signal?.reason as Error);
    signal?.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

function refusalOf({ response, status }: XMLHttpRequest): UploadRefused {
  const said = response as { error?: Refusal & { retryable?: boolean } } | null;
  const message = `The server answered ${status}.`;
  return new UploadRefused(said?.error ?? { code: "HTTP", message }, said?.error?.retryable ?? status >= 500);
}

/** The message has it from now on. */
function remember(messageId: string, attachment: AttachmentPartsFragment): void {
  const { cache } = client;
  const reference = cache.writeFragment({
    fragment: AttachmentPartsFragmentDoc,
    fragmentName: "AttachmentParts",
    data: attachment,
  });
  const message = cache.identify({ __typename: "ChatMessage", id: messageId });
  if (reference === undefined || message === undefined) {
    return;
  }
  cache.modify({
    id: message,
    fields: {
      attachments: (known: readonly { __ref: string }[]) =>
        known.some(({ __ref }) => __ref === reference.__ref) ? known : [...known, reference],
    },
  });
}
