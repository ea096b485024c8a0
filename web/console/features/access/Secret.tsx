import { Check, Copy } from "lucide-react";
import { useState } from "react";

import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { toast } from "../../ui/toasts";
import styles from "./KeysPage.module.css";

/** The text of a key that was just made: told this once. */
export function Secret({ name, secret, onClose }: { name: string; secret: string | null; onClose: () => void }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async (text: string) => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      toast.note("The browser does not let the page copy: select the text, and copy it yourself.");
    }
  };
  return (
    <Dialog
      title={`The key “${name}”`}
      isOpen
      onClose={onClose}
      actions={
        <Button kind="primary" onPress={onClose}>
          Done
        </Button>
      }
    >
      {secret === null ? (
        <p>It was made already, and its text is not told a second time. Revoke it, and make another.</p>
      ) : (
        <>
          <p>Copy it now: it is stored nowhere, and will not be shown again.</p>
          <code className={styles.secret}>{secret}</code>
          <Button onPress={() => void copy(secret)}>
            {isCopied ? <Check size={18} aria-hidden /> : <Copy size={18} aria-hidden />}
            {isCopied ? "Copied" : "Copy"}
          </Button>
        </>
      )}
    </Dialog>
  );
}
