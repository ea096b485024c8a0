import { memo } from "react";

import { Chart, type Form } from "../../ui/plot/Chart";
import { type Figures, MOST_SERIES, isEmpty } from "../../ui/plot/figures";
import { Plot } from "../../ui/plot/Plot";
import { dollars, duration, short, whole } from "../../ui/numbers";
import type { FiguresMessagesFragment, FiguresQuery, FiguresUsageFragment } from "./documents.generated";
import styles from "./Figures.module.css";
import { type Calendar, alike, cost, errors, messages, times, timesByModel, tokens } from "./series";
import type { Figured } from "./useFigures";

interface Drawn {
  title: string;
  unit: string;
  figures: Figures;
  form: Form;
  format: (value: string | number) => string;
  note?: string | undefined;
  empty: string;
}

/** What happened in each bucket of the range; drawn anew only where it is of other figures. */
export const OverTime = memo(function OverTime({ data, wanted }: Figured) {
  return (
    <div className={styles.plots}>
      {plots({ data, wanted }).map(({ form, format, empty, ...plot }) => (
        <Plot key={plot.title} {...plot} empty={isEmpty(plot.figures) ? empty : null}>
          <Chart title={plot.title} figures={plot.figures} form={form} format={format} />
        </Plot>
      ))}
    </div>
  );
});

const TOKENS = {
  unit: "in tokens",
  form: "bars",
  format: short,
  empty: "No tokens were used in this range.",
} as const;
const COST = {
  unit: "in US dollars",
  form: "bars",
  format: (value: string | number) => dollars(String(value)),
  empty: "Nothing in this range has cost anything.",
} as const;
const MESSAGES = {
  unit: "in messages",
  form: "bars",
  format: short,
  empty: "No message was stored in this range.",
} as const;
const ERRORS = { unit: "in failures", format: short, empty: "Nothing has failed in this range." } as const;
const TIMES = {
  unit: "in milliseconds",
  form: "lines",
  format: (value: string | number) => duration(Number(value)),
  empty: "No answer in this range tells how long it took.",
} as const;

function plots({ data, wanted }: Figured): Drawn[] {
  return wanted.split === "model" ? byModel(data, wanted) : byKind(data, wanted);
}

function byKind({ usageSeries, messages: stored, all }: FiguresQuery, calendar: Calendar): Drawn[] {
  const usage = usageSeries ?? [];
  return [
    { ...TOKENS, title: "Tokens by kind", figures: tokens(usage, "kind", calendar) },
    { ...COST, title: "Cost", figures: cost(usage, "kind", calendar), note: withoutPrice(usage) },
    { ...MESSAGES, title: "Messages by role", figures: messages(stored ?? [], calendar) },
    { ...ERRORS, title: "Errors", form: "beside", figures: errors(usage, all ?? [], "kind", calendar) },
    {
      ...TIMES,
      title: "Response times",
      figures: times(all ?? [], calendar),
      note: "Half of the answers took at most p50, and 95 of a hundred at most p95.",
    },
  ];
}

function byModel({ usageSeries, messages: answers }: FiguresQuery, calendar: Calendar): Drawn[] {
  const usage = usageSeries ?? [];
  const stored = answers ?? [];
  const drawn: Drawn[] = [
    { ...TOKENS, title: "Tokens by model", figures: tokens(usage, "model", calendar) },
    { ...COST, title: "Cost by model", figures: cost(usage, "model", calendar), note: withoutPrice(usage) },
    {
      ...MESSAGES,
      title: "Messages by model",
      figures: messages(stored, calendar),
      note: "Messages that name no model, such as questions, are left out.",
    },
    {
      ...ERRORS,
      title: "Errors by model",
      form: "bars",
      figures: errors(usage, [], "model", calendar),
      note: "Runs that failed or were interrupted.",
    },
    {
      ...TIMES,
      title: "Response times by model, p50",
      figures: timesByModel(stored, "processingTimeP50Ms", calendar),
      note: `Half of the answers took at most so long.${ofMany(stored)}`,
    },
    {
      ...TIMES,
      title: "Response times by model, p95",
      figures: timesByModel(stored, "processingTimeP95Ms", calendar),
      note: `95 of a hundred answers took at most so long.${ofMany(stored)}`,
    },
  ];
  const looks = alike(drawn.map(({ figures }) => figures));
  return drawn.map((plot, place) => ({ ...plot, figures: looks[place] ?? plot.figures }));
}

function withoutPrice(usage: readonly FiguresUsageFragment[]): string | undefined {
  const unpriced = usage.reduce((so, { unpricedRuns }) => so + unpricedRuns, 0);
  return unpriced > 0 ? `${whole(unpriced)} runs have no known price: they are missing here.` : undefined;
}

/** Percentiles cannot be put together, so that the rest is not drawn. */
function ofMany(stored: readonly FiguresMessagesFragment[]): string {
  const models = new Set(stored.map(({ key }) => key)).size;
  return models > MOST_SERIES ? ` ${MOST_SERIES} of ${models} models are drawn; the numbers have all.` : "";
}
