import { Diff } from "../../../ui/diff/Diff";
import { aboutOf, type Fields } from "./draft";
import styles from "./editing.module.css";

export interface ComparisonProps {
  before: Fields;
  after: Fields;
  beforeLabel: string;
  afterLabel: string;
}

/** What differs between two versions: in the text, and in what else they say where that differs. */
export function Comparison({ before, after, ...labels }: ComparisonProps) {
  const about = { before: aboutOf(before), after: aboutOf(after) };
  return (
    <div className={styles.comparison}>
      <section>
        <h3>Text</h3>
        <Diff before={before.content} after={after.content} {...labels} />
      </section>
      {about.before !== about.after && (
        <section>
          <h3>Name, type, description and variables</h3>
          <Diff {...about} {...labels} />
        </section>
      )}
    </div>
  );
}
