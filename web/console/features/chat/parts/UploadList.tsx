import { RotateCw, X } from "lucide-react";
import { ProgressBar } from "react-aria-components";

import { Button } from "../../../ui/Button";
import { bytes } from "../../../ui/numbers";
import styles from "./attachments.module.css";
import type { Upload, Uploads } from "./useUploads";

/** Files on their way, with how far they are; each can be called off, and one that failed tried again. */
export function UploadList({ uploads, cancel, retry }: Pick<Uploads, "uploads" | "cancel" | "retry">) {
  return (
    uploads.length > 0 && (
      <ul className={styles.list} aria-label="Files to attach">
        {uploads.map((upload) => (
          <li key={upload.key} className={styles.file}>
            <div className={styles.facts}>
              <span className={styles.name}>{upload.file.name}</span>
              <State upload={upload} />
            </div>
            {upload.told?.retry && (
              <Button
                kind="quiet"
                icon
                aria-label={`Send ${upload.file.name} again`}
                onPress={() => void retry(upload.key)}
              >
                <RotateCw size={15} aria-hidden />
              </Button>
            )}
            <Button kind="quiet" icon aria-label={`Remove ${upload.file.name}`} onPress={() => cancel(upload.key)}>
              <X size={15} aria-hidden />
            </Button>
          </li>
        ))}
      </ul>
    )
  );
}

function State({ upload: { state, told, progress, file } }: { upload: Upload }) {
  if (told) {
    return (
      <span className={styles.refused} role="alert">
        {told.title} {told.detail}
      </span>
    );
  }
  if (state === "waiting") {
    return <span className={styles.muted}>{bytes(file.size)}</span>;
  }
  return (
    <ProgressBar aria-label={`Sending ${file.name}`} value={progress * 100} className={styles.progress ?? ""}>
      {({ percentage }) => <progress className={styles.bar} value={percentage ?? 0} max={100} aria-hidden />}
    </ProgressBar>
  );
}
