import { Dialog } from "../../../ui/Dialog";
import styles from "./library.module.css";

/** How a library comes from another system, and goes to one: the server's own commands do that. */
export function Moving({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  return (
    <Dialog title="Import and export" isOpen={isOpen} onClose={onClose}>
      <p>
        Whoever runs the server moves whole libraries: prompts keep their ids, names and times, and the dry run tells
        first what would change.
      </p>
      <section className={styles.moving}>
        <h3>Import</h3>
        <p>JSON, one object per line or in a list, or CSV whose first row names the columns.</p>
        <Command text="colloquy import --format prompts --dry-run library.csv" />
        <Command text="colloquy import --format prompts library.csv" />
      </section>
      <section className={styles.moving}>
        <h3>Export</h3>
        <p>One object per line, which can be imported elsewhere.</p>
        <Command text="colloquy export --format prompts --tenant default --output library.jsonl" />
      </section>
    </Dialog>
  );
}

function Command({ text }: { text: string }) {
  return (
    <pre className={styles.command} tabIndex={0}>
      <code>{text}</code>
    </pre>
  );
}
