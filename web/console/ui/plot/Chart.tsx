import { useId, useMemo } from "react";
import {
  Bar,
  CartesianGrid,
  ComposedChart,
  type DotItemDotProps,
  Line,
  Tooltip,
  type TooltipContentProps,
  XAxis,
  YAxis,
} from "recharts";

import { type Figures, type Row, drawn } from "./figures";
import { Legend, Swatch } from "./Legend";
import { Dot, Hatchings, colour, dashes, fill } from "./marks";
import styles from "./Chart.module.css";

/** Bars on each other or beside each other, or lines. */
export type Form = "bars" | "beside" | "lines";

export interface ChartProps {
  title: string;
  figures: Figures;
  form: Form;
  /** A number in few characters: one of the figures, or of the axis. */
  format: (value: string | number) => string;
}

interface Place {
  row: Row;
  values: (number | null)[];
}

/** With more, dots would be a line of their own. */
const MOST_DOTS = 45;

/** Where there are few, or no line leads to it. */
function isDotted(rows: readonly Place[], index: number, at: number): boolean {
  return rows.length <= MOST_DOTS || (rows[index - 1]?.values[at] == null && rows[index + 1]?.values[at] == null);
}

/** Numbers over time. The arrow keys go from one moment to the next, and what is there is told. */
export function Chart({ title, figures, form, format }: ChartProps) {
  // As an id within the SVG, which a colon would not be.
  const prefix = useId().replaceAll(/[^a-zA-Z0-9]/g, "");
  const series = useMemo(() => drawn(figures.columns, form !== "lines"), [figures, form]);
  const rows = useMemo<Place[]>(
    () =>
      figures.rows.map((row, place) => ({
        row,
        values: series.map(({ values }) => (values[place] == null ? null : Number(values[place]))),
      })),
    [figures, series],
  );

  const told = ({ active, payload }: TooltipContentProps) => {
    const found = payload[0]?.payload as Place | undefined;
    if (!active || !found) {
      return null;
    }
    const place = rows.indexOf(found);
    return (
      <div className={styles.told} role="status">
        <p className={styles.when}>{found.row.label}</p>
        <ul className={styles.values}>
          {series.map(({ id, name, values, place: mark }) => (
            <li key={id}>
              <Swatch form={form} place={mark} prefix={prefix} />
              <span>{name}</span>
              <strong>{values[place] == null ? "unknown" : format(values[place])}</strong>
            </li>
          ))}
        </ul>
      </div>
    );
  };

  return (
    <>
      <ComposedChart
        responsive
        data={rows}
        className={styles.chart ?? ""}
        title={`${title}. Go through it with the arrow keys.`}
        margin={{ top: 8, right: 8, bottom: 0, left: 0 }}
        barCategoryGap="15%"
      >
        <Hatchings prefix={prefix} places={series.map(({ place }) => place)} />
        <CartesianGrid vertical={false} stroke="var(--border)" />
        <XAxis
          dataKey={({ row }: Place) => row.short}
          // A label may come twice, as an hour does in autumn.
          allowDuplicatedCategory
          minTickGap={24}
          {...(form === "lines" && { padding: { left: 12, right: 12 } })}
          tickLine={false}
          tickMargin={6}
          stroke="var(--border-strong)"
          tick={{ fill: "var(--text-muted)", fontSize: 12 }}
        />
        <YAxis
          width="auto"
          axisLine={false}
          tickLine={false}
          tick={{ fill: "var(--text-muted)", fontSize: 12 }}
          tickFormatter={format}
          allowDecimals={
            !figures.columns.every(({ values }) => values.every((value) => value === null || /^\d+$/.test(value)))
          }
        />
        <Tooltip content={told} cursor={{ fill: "var(--surface-hover)", stroke: "var(--border-strong)" }} />
        {series.map(({ id, name, place }, at) =>
          form !== "lines" ? (
            <Bar
              key={id}
              name={name}
              dataKey={({ values }: Place) => values[at]}
              {...(form === "bars" && { stackId: "all" })}
              fill={fill(prefix, place)}
              stroke={colour(place)}
              strokeWidth={0.5}
              maxBarSize={48}
              isAnimationActive={false}
            />
          ) : (
            <Line
              key={id}
              name={name}
              dataKey={({ values }: Place) => values[at]}
              stroke={colour(place)}
              strokeWidth={2}
              {...dashes(place)}
              dot={({ index, cx, cy, value }: DotItemDotProps) =>
                value != null && cx != null && cy != null && isDotted(rows, index, at) ? (
                  <Dot key={index} place={place} cx={cx} cy={cy} />
                ) : (
                  <g key={index} />
                )
              }
              activeDot={{ r: 4, fill: colour(place), stroke: "var(--surface)" }}
              isAnimationActive={false}
            />
          ),
        )}
      </ComposedChart>
      <Legend form={form} series={series} prefix={prefix} />
    </>
  );
}
