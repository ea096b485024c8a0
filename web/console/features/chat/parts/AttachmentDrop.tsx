import { Paperclip } from "lucide-react";
import { type DragEvent, type ReactNode, useState } from "react";
import { FileTrigger } from "react-aria-components";

import { Button } from "../../../ui/Button";
import styles from "./attachments.module.css";

export interface AttachmentDropProps {
  onFiles: (files: File[]) => void;
  /** What files may be dropped on; without it, a place of its own. */
  children?: ReactNode;
}

/** Takes files that are dropped on it or pasted into it; for all others there is `AttachButton`. */
export function AttachmentDrop({ onFiles, children }: AttachmentDropProps) {
  // Each element inside tells when it is entered and left.
  const [depth, setDepth] = useState(0);
  const take = (files: FileList): void => {
    if (files.length > 0) {
      onFiles([...files]);
    }
  };
  const withFiles =
    (then: (event: DragEvent) => void) =>
    (event: DragEvent): void => {
      if (event.dataTransfer.types.includes("Files")) {
        event.preventDefault();
        then(event);
      }
    };
  return (
    <div
      className={`${styles.drop} ${depth > 0 ? styles.over : ""}`}
      onDragEnter={withFiles(() => setDepth((now) => now + 1))}
      onDragLeave={withFiles(() => setDepth((now) => Math.max(now - 1, 0)))}
      onDragOver={withFiles(() => undefined)}
      onDrop={withFiles(({ dataTransfer }) => {
        setDepth(0);
        take(dataTransfer.files);
      })}
      onPaste={({ clipboardData }) => take(clipboardData.files)}
    >
      {children ?? (
        <p className={styles.place}>
          Drop files here, or <AttachButton onFiles={onFiles}>choose some</AttachButton>
        </p>
      )}
    </div>
  );
}

/** Opens the browser's dialog for files; without words it is a clip. */
export function AttachButton({ onFiles, children }: AttachmentDropProps) {
  return (
    <FileTrigger allowsMultiple onSelect={(files) => files && onFiles([...files])}>
      {children ? (
        <Button>{children}</Button>
      ) : (
        <Button kind="quiet" icon aria-label="Attach files">
          <Paperclip size={18} aria-hidden />
        </Button>
      )}
    </FileTrigger>
  );
}
