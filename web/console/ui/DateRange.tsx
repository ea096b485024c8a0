import type { DateValue } from "@internationalized/date";
import { CalendarDays, ChevronLeft, ChevronRight } from "lucide-react";
import { useState } from "react";
import {
  Button as AriaButton,
  CalendarCell,
  CalendarGrid,
  DateInput,
  DateRangePicker,
  DateSegment,
  Dialog,
  FieldError,
  Group,
  Heading,
  I18nProvider,
  Label,
  Popover,
  RangeCalendar,
} from "react-aria-components";

import { Button } from "./Button";
import combo from "./ComboBox.module.css";
import styles from "./DateRange.module.css";
import fields from "./fields.module.css";

export interface Days {
  start: DateValue;
  end: DateValue;
}

export interface DateRangeProps {
  label: string;
  value: Days;
  onChange: (days: Days) => void;
  minValue?: DateValue;
  maxValue?: DateValue;
  /** Why these days cannot be taken; null where they can. */
  validate?: (days: Days) => string | null;
}

/** Days from one to another, both included: typed, or chosen in a calendar. */
export function DateRange({ label, value, onChange, validate = () => null, ...bounds }: DateRangeProps) {
  // Of days that cannot be taken nobody else is told: while a year is typed, it is one of antiquity.
  const [refused, setRefused] = useState<Days | null>(null);
  const change = (days: Days | null) => {
    const wrong =
      days && (validate(days) ?? (days.start.compare(days.end) > 0 ? "The end is before the start." : null));
    setRefused(wrong ? days : null);
    if (days && !wrong) {
      onChange(days);
    }
  };
  return (
    // The console speaks English, and says which of its numbers is the month by having the year first.
    <I18nProvider locale="en-CA">
      <DateRangePicker
        className={fields.field ?? ""}
        value={refused ?? value}
        onChange={change}
        validate={validate}
        validationBehavior="aria"
        {...bounds}
      >
        <Label className={fields.label ?? ""}>{label}</Label>
        <Group className={`${combo.group} ${styles.group}`}>
          <DateInput slot="start" className={styles.date ?? ""}>
            {(segment) => <DateSegment segment={segment} className={styles.segment ?? ""} />}
          </DateInput>
          <span aria-hidden>–</span>
          <DateInput slot="end" className={styles.date ?? ""}>
            {(segment) => <DateSegment segment={segment} className={styles.segment ?? ""} />}
          </DateInput>
          <AriaButton className={combo.opener ?? ""}>
            <CalendarDays size={16} aria-hidden />
          </AriaButton>
        </Group>
        <FieldError className={fields.error ?? ""} />
        <Popover className={fields.popover ?? ""}>
          <Dialog className={styles.dialog ?? ""}>
            <RangeCalendar firstDayOfWeek="mon">
              <header className={styles.month}>
                <Button kind="quiet" icon slot="previous">
                  <ChevronLeft size={16} aria-hidden />
                </Button>
                <Heading level={2} />
                <Button kind="quiet" icon slot="next">
                  <ChevronRight size={16} aria-hidden />
                </Button>
              </header>
              <CalendarGrid className={styles.grid ?? ""}>
                {(date) => <CalendarCell date={date} className={styles.day ?? ""} />}
              </CalendarGrid>
            </RangeCalendar>
          </Dialog>
        </Popover>
      </DateRangePicker>
    </I18nProvider>
  );
}
