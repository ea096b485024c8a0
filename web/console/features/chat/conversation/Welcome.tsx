import { Button } from "../../../ui/Button";
import styles from "./conversation.module.css";

/** Things to begin with, for whoever does not know what to ask. */
const BEGINNINGS: readonly string[] = [
  "Explain it to me as to a colleague: ",
  "Summarize this text in three sentences:\n\n",
  "What are the pros and cons of ",
];

/** What stands where no conversation has begun. */
export function Welcome({ onChoose }: { onChoose: (text: string) => void }) {
  return (
    <div className={styles.middle}>
      <div className={styles.welcome}>
        <h2>What is on your mind?</h2>
        <p>Ask below, attach files to it, or take a prompt from the library. The conversation is kept.</p>
        <ul aria-label="Ways to begin">
          {BEGINNINGS.map((text) => (
            <li key={text}>
              <Button onPress={() => onChoose(text)}>{text.trim().replace(/:$/, "")} …</Button>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
