import { useMemo } from "react";

import { useAddress } from "../../ui/address";
import { ComboBox } from "../../ui/ComboBox";
import { DateRange } from "../../ui/DateRange";
import { type Choice, Select } from "../../ui/fields";
import { Toggle } from "../../ui/Toggle";
import type { UsageBucket } from "./documents.generated";
import { MOST_DAYS, PRESETS, type Split, WHOLE, type Wanted, buckets, length } from "./range";
import styles from "./Controls.module.css";
import { zones } from "./zones";

const NAMES: Record<UsageBucket, string> = { HOUR: "Hour", DAY: "Day", WEEK: "Week", MONTH: "Month" };

const CUSTOM = "custom";

/** Which figures: every choice stands in the address, so that a link shows the same. */
export function Controls({ wanted, whole = false }: { wanted: Wanted; whole?: boolean }) {
  const [, change] = useAddress();
  const { preset, first, last, zone, bucket, split } = wanted;
  const known = useMemo(() => zones(zone).map((name) => ({ value: name, label: name.replaceAll("_", " ") })), [zone]);
  const ranges: Choice<string>[] = [
    ...(whole ? [{ value: WHOLE, label: "All" }] : []),
    ...PRESETS.map((days) => ({ value: String(days), label: `${days} days` })),
    { value: CUSTOM, label: "Custom" },
  ];
  const days = { from: first.toString(), to: last.toString() };
  return (
    <div className={styles.controls} role="group" aria-label="What is shown">
      <Toggle
        label="Range"
        choices={ranges}
        value={preset ?? CUSTOM}
        onChange={(range) =>
          change(range === CUSTOM ? { range: null, ...days } : { range, from: null, to: null, bucket: null })
        }
      />
      {preset === null && (
        <DateRange
          label="Days"
          value={{ start: first, end: last }}
          onChange={({ start, end }) => change({ range: null, from: start.toString(), to: end.toString() })}
          validate={({ start, end }) =>
            start.add({ days: MOST_DAYS }).compare(end) <= 0 ? `At most ${MOST_DAYS} days can be shown.` : null
          }
        />
      )}
      <Toggle
        label="By"
        choices={buckets(first, last).map((value) => ({ value, label: NAMES[value] }))}
        value={bucket}
        onChange={(value) => change({ bucket: value.toLowerCase() })}
      />
      <div className={styles.split}>
        <Select<Split>
          label="Told apart by"
          choices={[
            { value: "kind", label: "Kind" },
            { value: "model", label: "Model" },
          ]}
          value={split}
          onChange={(value) => change({ split: value })}
        />
      </div>
      <div className={styles.zone}>
        <ComboBox label="Time zone" choices={known} value={zone} onChange={(value) => change({ zone: value })} />
      </div>
      <p className={styles.count} aria-live="polite">
        {length(first, last) === 1 ? first.toString() : `${first.toString()} to ${last.toString()}`}
      </p>
    </div>
  );
}
