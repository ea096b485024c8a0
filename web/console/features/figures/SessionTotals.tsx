import { dollars, duration, short, whole } from "../../ui/numbers";
import { type Figures, isEmpty } from "../../ui/plot/figures";
import { Plot } from "../../ui/plot/Plot";
import { Ranking } from "../../ui/plot/Ranking";
import type { FiguresOfSessionFragment as Totals } from "./documents.generated";
import styles from "./Figures.module.css";
import { ROLES } from "./series";
import { Tiles } from "./Tiles";

interface SessionTotalsProps {
  /** All that was ever stored. */
  lifetime: Totals;
  /** The conversation as it is read now. */
  path: Totals;
}

type Total = Exclude<keyof Totals, "__typename" | "messagesByRole" | "toolUsageCount">;

const TOTALS: readonly [name: string, field: Total, format: (value: string) => string][] = [
  ["Messages", "totalMessages", whole],
  ["Tokens", "totalTokens", short],
  ["Cost in US dollars", "estimatedCost", dollars],
  ["Processing time in ms", "durationMs", (value) => duration(Number(value))],
  ["Response time in ms, mean", "averageResponseTimeMs", (value) => duration(Number(value))],
  ["Tool executions", "toolExecutions", whole],
];

/** What a session adds up to: all of it, and the path that is read now. */
export function SessionTotals({ lifetime, path }: SessionTotalsProps) {
  const roles = counts("Role", lifetime.messagesByRole, path.messagesByRole, (key) => ROLES[key] ?? key);
  const tools = counts("Tool", lifetime.toolUsageCount, path.toolUsageCount);
  return (
    <div className={styles.totals}>
      <Plot
        title="All messages, and the active path"
        unit="of all messages and of the active path"
        figures={totals(lifetime, path)}
        note="What was ever spent, deleted messages and other branches included; below it, the conversation as it is read now."
        empty={null}
      >
        <Tiles
          label="All messages, and the active path"
          tiles={TOTALS.map(([name, field, format]) => ({
            name: name.replace(/ in .*/, ""),
            value: format(String(lifetime[field])),
            detail: `active path: ${format(String(path[field]))}`,
          }))}
        />
      </Plot>
      <div className={styles.rankings}>
        <Plot
          title="Messages by role, ever stored"
          unit="in messages"
          figures={roles}
          empty={isEmpty(roles) ? "Nothing was said yet." : null}
        >
          <Ranking figures={roles} />
        </Plot>
        <Plot
          title="Tools, ever called"
          unit="in calls"
          figures={tools}
          empty={isEmpty(tools) ? "No tool was called." : null}
        >
          <Ranking figures={tools} />
        </Plot>
      </div>
    </div>
  );
}

function totals(lifetime: Totals, path: Totals): Figures {
  return {
    heads: ["Figure"],
    rows: TOTALS.map(([name]) => ({ short: name, label: name, cells: [name] })),
    columns: [lifetime, path].map((each, place) => ({
      ...SCOPES[place === 0 ? 0 : 1],
      values: TOTALS.map(([, field]) => String(each[field])),
    })),
  };
}

const SCOPES = [
  { id: "all", name: "All" },
  { id: "path", name: "Active path" },
] as const;

type Counts = readonly { key: string; count: number }[];

function counts(head: string, all: Counts, path: Counts, named = (key: string): string => key): Figures {
  return {
    heads: [head],
    rows: all.map(({ key }) => ({ short: named(key), label: named(key), cells: [key] })),
    columns: [all, path].map((each, place) => ({
      ...SCOPES[place === 0 ? 0 : 1],
      values: all.map(({ key }) => String(each.find((other) => other.key === key)?.count ?? 0)),
    })),
  };
}
