import { Search, X } from "lucide-react";
import { SearchField as AriaSearchField, Button, Input } from "react-aria-components";

import fields from "./fields.module.css";
import styles from "./SearchField.module.css";

export interface SearchFieldProps {
  /** Stands in it, too, while it is empty. */
  label: string;
  value: string;
  onChange: (value: string) => void;
}

/** Words to look for; Escape takes them away. */
export function SearchField({ label, value, onChange }: SearchFieldProps) {
  return (
    <AriaSearchField aria-label={label} value={value} onChange={onChange} className={styles.search ?? ""}>
      <Search size={16} aria-hidden className={styles.glass ?? ""} />
      <Input placeholder={label} className={`${fields.input} ${styles.input}`} />
      {value && (
        <Button className={styles.clear ?? ""} aria-label="Clear the search">
          <X size={15} aria-hidden />
        </Button>
      )}
    </AriaSearchField>
  );
}
