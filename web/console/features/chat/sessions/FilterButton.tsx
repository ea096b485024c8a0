import { ListFilter } from "lucide-react";
import { Dialog, DialogTrigger, Popover } from "react-aria-components";

import { Button } from "../../../ui/Button";
import { EVERY_STATUS, type Filter, STATUSES } from "./filter";
import styles from "./sessions.module.css";
import { TagsField } from "./TagsField";

/** Chooses which sessions are listed. */
export function FilterButton({ filter, onChange }: { filter: Filter; onChange: (filter: Filter) => void }) {
  const count = filter.status.length + filter.tags.length;
  return (
    <DialogTrigger>
      <Button icon aria-label={count > 0 ? `Filter, ${count} chosen` : "Filter"} kind={count > 0 ? "primary" : "plain"}>
        <ListFilter size={16} aria-hidden />
      </Button>
      <Popover className={styles.popover ?? ""}>
        <Dialog className={styles.filter ?? ""} aria-label="Filter">
          <fieldset className={styles.choices}>
            <legend>Status</legend>
            {EVERY_STATUS.map((status) => (
              <label key={status} className={styles.choice}>
                <input
                  type="checkbox"
                  checked={filter.status.includes(status)}
                  onChange={({ target: { checked } }) =>
                    onChange({
                      ...filter,
                      status: EVERY_STATUS.filter((one) => (one === status ? checked : filter.status.includes(one))),
                    })
                  }
                />
                {STATUSES[status]}
              </label>
            ))}
          </fieldset>
          <TagsField
            label="With all of these tags"
            tags={filter.tags}
            onChange={(tags) => onChange({ ...filter, tags })}
          />
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
