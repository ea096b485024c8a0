import { useCallback, useReducer, useRef } from "react";

import { type Told, tell, tellRefusal } from "../../../api/errors";
import { uploadFile, UploadRefused } from "./upload";

/** A file that was chosen, and how far it is. */
export interface Upload {
  /** Of this choice; the server knows it as the idempotency key. */
  key: string;
  file: File;
  state: "waiting" | "sending" | "failed";
  /** Which part of it has gone, from 0 to 1. */
  progress: number;
  /** Why it failed. */
  told: Told | null;
  /** Where it goes, as soon as that is known. */
  messageId: string | null;
}

type Change =
  | { kind: "added"; uploads: readonly Upload[] }
  | { kind: "changed"; key: string; to: Partial<Upload> }
  | { kind: "removed"; key: string }
  | { kind: "cleared" };

function changed(uploads: readonly Upload[], change: Change): readonly Upload[] {
  switch (change.kind) {
    case "added":
      return [...uploads, ...change.uploads];
    case "changed":
      return uploads.map((upload) => (upload.key === change.key ? { ...upload, ...change.to } : upload));
    case "removed":
      return uploads.filter(({ key }) => key !== change.key);
    case "cleared":
      return [];
  }
}

export interface Uploads {
  uploads: readonly Upload[];
  /** Take files; they wait until there is a message for them. */
  add: (files: readonly File[]) => void;
  /** Send what waits to this message. What is stored leaves the list; what failed stays, to be tried again. */
  start: (messageId: string) => Promise<void>;
  /** Do without it, also while it is being sent. */
  cancel: (key: string) => void;
  /** Send one that failed again; it is stored once, even where the first attempt had been. */
  retry: (key: string) => Promise<void>;
  clear: () => void;
}

/** Files on their way to a message that may be yet to come. */
export function useUploads(): Uploads {
  const [uploads, change] = useReducer(changed, []);
  const running = useRef(new Map<string, AbortController>());

  const send = useCallback(async ({ key, file }: Upload, messageId: string): Promise<void> => {
    const controller = new AbortController();
    running.current.set(key, controller);
    change({ kind: "changed", key, to: { state: "sending", progress: 0, told: null, messageId } });
    try {
      await uploadFile(messageId, file, (progress) => change({ kind: "changed", key, to: { progress } }), {
        idempotencyKey: key,
        signal: controller.signal,
      });
      change({ kind: "removed", key });
    } catch (error) {
      if (!controller.signal.aborted) {
        change({ kind: "changed", key, to: { state: "failed", told: toldOf(error) } });
      }
    } finally {
      running.current.delete(key);
    }
  }, []);

  return {
    uploads,
    add: (files) =>
      change({
        kind: "added",
        uploads: files.map((file) => ({
          key: crypto.randomUUID(),
          file,
          state: "waiting",
          progress: 0,
          told: null,
          messageId: null,
        })),
      }),
    start: async (messageId) => {
      const waiting = uploads.filter(({ state }) => state === "waiting");
      await Promise.all(waiting.map((upload) => send(upload, messageId)));
    },
    cancel: (key) => {
      running.current.get(key)?.abort();
      change({ kind: "removed", key });
    },
    retry: async (key) => {
      const upload = uploads.find((upload) => upload.key === key);
      if (upload?.messageId) {
        await send(upload, upload.messageId);
      }
    },
    clear: () => {
      for (const controller of running.current.values()) {
        controller.abort();
      }
      change({ kind: "cleared" });
    },
  };
}

function toldOf(error: unknown): Told {
  return error instanceof UploadRefused ? { ...tellRefusal(error.refusal), retry: error.retryable } : tell(error);
}
