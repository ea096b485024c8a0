import { useQuery } from "@apollo/client/react";
import { Label, Meter } from "react-aria-components";

import { Badge } from "../../ui/Badge";
import { Moment } from "../../ui/Moment";
import { dollars, whole } from "../../ui/numbers";
import type { Figures } from "../../ui/plot/figures";
import { Plot } from "../../ui/plot/Plot";
import { Failure, Loading } from "../../ui/states";
import styles from "./Budgets.module.css";
import { type FiguresBudgetFragment as Budget, FiguresBudgetsDocument } from "./documents.generated";

const PERIODS = { DAY: "today", MONTH: "this month" } as const;

/** What may be spent, and what is left of it. */
export function Budgets() {
  const { data, error, refetch } = useQuery(FiguresBudgetsDocument);
  if (!data) {
    return error ? <Failure error={error} onRetry={() => void refetch()} /> : <Loading label="Loading budgets" />;
  }
  const { budgets } = data.viewer;
  return (
    <Plot
      title="Budgets"
      unit="in US dollars and tokens"
      figures={figuresOf(budgets)}
      note={budgets.length > 0 && "Days and months are those of the calendar in UTC, whatever the time zone above."}
      empty={budgets.length === 0 ? "No budget limits what you spend. An admin can set one." : null}
    >
      <ul className={styles.budgets}>
        {budgets.map((budget) => (
          <li key={budget.id} className={styles.budget}>
            <p className={styles.name}>
              <strong>{nameOf(budget)}</strong>
              <span className={styles.resets}>
                begins anew <Moment at={budget.resetsAt} />
              </span>
            </p>
            {budget.limitCost !== null && (
              <Left
                label={`Cost of ${nameOf(budget)}`}
                format={dollars}
                limit={budget.limitCost}
                spent={budget.spentCost}
                reserved={budget.reservedCost}
              />
            )}
            {budget.limitTokens !== null && (
              <Left
                label={`Tokens of ${nameOf(budget)}`}
                format={(value) => `${whole(value)} tokens`}
                limit={budget.limitTokens}
                spent={budget.spentTokens}
                reserved={budget.reservedTokens}
              />
            )}
          </li>
        ))}
      </ul>
    </Plot>
  );
}

interface LeftProps {
  label: string;
  format: (value: string) => string;
  limit: string;
  spent: string;
  reserved: string;
}

/** From here on it is said in words, too, that little is left. */
const LITTLE = 0.8;

function Left({ label, format, limit, spent, reserved }: LeftProps) {
  const most = Number(limit);
  const share = most > 0 ? Math.min(1, (Number(spent) + Number(reserved)) / most) : 1;
  const tone = share >= 1 ? "danger" : share >= LITTLE ? "warning" : null;
  const onHold = Number(reserved) > 0 ? `, ${format(reserved)} reserved` : "";
  const told = `${format(spent)} of ${format(limit)}${onHold}`;
  return (
    <Meter value={share} minValue={0} maxValue={1} valueLabel={told} className={styles.meter ?? ""}>
      <Label className={styles.hidden ?? ""}>{label}</Label>
      <span className={styles.told}>
        {told}
        {tone && <Badge tone={tone}>{tone === "danger" ? "Spent" : "Nearly spent"}</Badge>}
      </span>
      <span className={styles.track}>
        <span className={`${styles.bar} ${tone ? styles[tone] : ""}`} style={{ width: `${share * 100}%` }} />
      </span>
    </Meter>
  );
}

function nameOf({ scope, subject, usedBy, period }: Budget): string {
  const whose = {
    TENANT: "Everybody",
    USER: usedBy ?? subject ?? "Each user",
    MODEL: usedBy ?? subject ?? "Each model",
  }[scope];
  return `${whose} ${PERIODS[period]}`;
}

const FIGURES = [
  ["Limit of cost", "limitCost"],
  ["Spent", "spentCost"],
  ["Reserved", "reservedCost"],
  ["Left", "remainingCost"],
  ["Limit of tokens", "limitTokens"],
  ["Tokens spent", "spentTokens"],
  ["Tokens reserved", "reservedTokens"],
  ["Tokens left", "remainingTokens"],
  ["Tokens without a price", "unpricedTokens"],
] as const;

function figuresOf(budgets: readonly Budget[]): Figures {
  return {
    heads: ["Budget", "scope", "subject", "used by", "period", "begins anew"],
    rows: budgets.map((budget) => ({
      short: nameOf(budget),
      label: nameOf(budget),
      cells: [nameOf(budget), budget.scope, budget.subject ?? "", budget.usedBy ?? "", budget.period, budget.resetsAt],
    })),
    columns: FIGURES.map(([name, field]) => ({ id: field, name, values: budgets.map((budget) => budget[field]) })),
  };
}
