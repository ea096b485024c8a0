import { Download, File as FileIcon, Trash2 } from "lucide-react";
import { useEffect, useState } from "react";

import { client } from "../../../api/client";
import { useCommand } from "../../../api/commands";
import { download, fetchFile } from "../../../api/files";
import { Button } from "../../../ui/Button";
import { Confirm } from "../../../ui/Dialog";
import { bytes } from "../../../ui/numbers";
import styles from "./attachments.module.css";
import { type AttachmentPartsFragment, DeleteAttachmentDocument } from "./parts.generated";

/** Kinds of pictures that every browser shows, and that no script can be in. */
const PICTURES: readonly string[] = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];

/** The files of a message: to be looked at, kept and deleted. */
export function AttachmentList({ attachments }: { attachments: readonly AttachmentPartsFragment[] }) {
  const [chosen, setChosen] = useState<AttachmentPartsFragment | null>(null);
  const { send } = useCommand(DeleteAttachmentDocument);
  if (attachments.length === 0) {
    return null;
  }
  const remove = async ({ id, __typename }: AttachmentPartsFragment): Promise<void> => {
    if (await send({ input: { attachmentId: id, clientKey: crypto.randomUUID() } })) {
      const gone = client.cache.identify({ __typename, id });
      client.cache.evict({ ...(gone !== undefined && { id: gone }) });
      client.cache.gc();
    }
  };
  return (
    <>
      <ul className={styles.list} aria-label="Attachments">
        {attachments.map((attachment) => (
          <li key={attachment.id} className={styles.file}>
            <Thumbnail attachment={attachment} />
            <div className={styles.facts}>
              <span className={styles.name}>{attachment.fileName}</span>
              <span className={styles.muted}>{bytes(Number(attachment.size))}</span>
            </div>
            <Button
              kind="quiet"
              icon
              aria-label={`Download ${attachment.fileName}`}
              onPress={() => void download(attachment.url, attachment.fileName)}
            >
              <Download size={15} aria-hidden />
            </Button>
            <Button
              kind="quiet"
              icon
              aria-label={`Delete ${attachment.fileName}`}
              onPress={() => setChosen(attachment)}
            >
              <Trash2 size={15} aria-hidden />
            </Button>
          </li>
        ))}
      </ul>
      <Confirm
        title="Delete the file?"
        action="Delete"
        isOpen={chosen !== null}
        onClose={() => setChosen(null)}
        onConfirm={() => chosen && void remove(chosen)}
      >
        <p>{chosen?.fileName} is gone for good then.</p>
      </Confirm>
    </>
  );
}

/** A picture as itself, in small; any other file as a sheet of paper. */
function Thumbnail({ attachment: { contentType, url, fileName } }: { attachment: AttachmentPartsFragment }) {
  const shown = useBlobUrl(PICTURES.includes(contentType) ? url : null);
  return shown === null ? (
    <span className={styles.sheet}>
      <FileIcon size={18} aria-hidden />
    </span>
  ) : (
    <img className={styles.thumbnail} src={shown} alt={fileName} />
  );
}

/** What the server holds under a path, as an address that the page may show; null until it is there. */
function useBlobUrl(path: string | null): string | null {
  const [found, setFound] = useState<{ path: string; url: string } | null>(null);
  useEffect(() => {
    if (path === null) {
      return;
    }
    const asking = new AbortController();
    let made: string | null = null;
    void fetchFile(path, asking.signal).then(
      (blob) => {
        made = URL.createObjectURL(blob);
        setFound({ path, url: made });
      },
      // The sheet of paper stays; whoever downloads the file is told why it cannot be had.
      () => undefined,
    );
    return () => {
      asking.abort();
      if (made !== null) {
        URL.revokeObjectURL(made);
      }
    };
  }, [path]);
  return found !== null && found.path === path ? found.url : null;
}
