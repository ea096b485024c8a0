import { useState } from "react";

import { Button } from "../../../ui/Button";
import { CodeBlock } from "../../../ui/markdown/CodeBlock";
import { indented } from "./json";
import styles from "./parts.module.css";

/** Of a long text so much is shown until all of it is asked for. */
const FIRST_LINES = 12;
const FIRST_CHARACTERS = 1_200;

/** What a program wrote: JSON laid out, any other text as it is; a long one in part at first. */
export function Value({ text, label }: { text: string; label: string }) {
  const [all, setAll] = useState(false);
  const json = indented(text);
  const whole = json ?? text;
  const first = beginning(whole);
  const isLong = first.length < whole.length;
  return (
    <div className={styles.value}>
      <CodeBlock code={all ? whole : first} language={json === null ? null : "json"} label={label} copied={text} />
      {isLong && (
        <Button kind="quiet" onPress={() => setAll(!all)} aria-expanded={all}>
          {all ? "Show less" : `Show all of it (${whole.length.toLocaleString("en")} characters)`}
        </Button>
      )}
    </div>
  );
}

function beginning(text: string): string {
  return text.split("\n", FIRST_LINES).join("\n").slice(0, FIRST_CHARACTERS);
}
