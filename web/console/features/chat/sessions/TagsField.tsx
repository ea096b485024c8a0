import { X } from "lucide-react";
import { type KeyboardEvent, useState } from "react";

import { Button } from "../../../ui/Button";
import { TextField } from "../../../ui/fields";
import styles from "./sessions.module.css";

export interface TagsFieldProps {
  label: string;
  tags: readonly string[];
  onChange: (tags: readonly string[]) => void;
  help?: string;
}

/** Several words: each is entered with Enter or a comma, and can be taken away. */
export function TagsField({ label, tags, onChange, help = "Enter adds one." }: TagsFieldProps) {
  const [text, setText] = useState("");
  const add = (): void => {
    const tag = text.trim();
    setText("");
    if (tag && !tags.includes(tag)) {
      onChange([...tags, tag]);
    }
  };
  const enter = (event: KeyboardEvent): void => {
    if ((event.key === "Enter" || event.key === ",") && text.trim()) {
      event.preventDefault();
      add();
    }
  };
  return (
    <div className={styles.tags}>
      <TextField label={label} help={help} value={text} onChange={setText} onKeyDown={enter} onBlur={add} />
      <Chips label={label} words={tags} onRemove={(tag) => onChange(tags.filter((other) => other !== tag))} />
    </div>
  );
}

export interface ChipsProps {
  label: string;
  words: readonly string[];
  onRemove: (word: string) => void;
}

/** Words that can each be taken away. */
export function Chips({ label, words, onRemove }: ChipsProps) {
  return (
    words.length > 0 && (
      <ul className={styles.chips} aria-label={label}>
        {words.map((word) => (
          <li key={word} className={styles.chip}>
            <span className={styles.word}>{word}</span>
            <Button kind="quiet" icon aria-label={`Remove ${word}`} onPress={() => onRemove(word)}>
              <X size={13} aria-hidden />
            </Button>
          </li>
        ))}
      </ul>
    )
  );
}
