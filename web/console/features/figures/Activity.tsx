import { isEmpty } from "../../ui/plot/figures";
import { Plot } from "../../ui/plot/Plot";
import { Ranking } from "../../ui/plot/Ranking";
import type { FiguresActivityFragment } from "./documents.generated";
import styles from "./Figures.module.css";
import { counts, sessions } from "./series";

const SHOWN = 10;

/** What was done in the range: intents, tools, and the sessions in which the most was said. */
export function Activity({ found, ofSession = false }: { found: FiguresActivityFragment; ofSession?: boolean }) {
  const plots = [
    {
      title: "Intents",
      unit: "in messages",
      figures: counts("Intent", "Messages", found.intents),
      empty: "No intent was found in this range.",
    },
    {
      title: "Tools",
      unit: "in calls",
      figures: counts("Tool", "Calls", found.tools),
      empty: "No tool was called in this range.",
    },
    ...(ofSession
      ? []
      : [
          {
            title: "Most active sessions",
            unit: "in messages",
            figures: sessions(found.mostActiveSessions),
            empty: "Nothing was said in this range.",
          },
        ]),
  ];
  return (
    <div className={styles.rankings}>
      {plots.map(({ empty, ...plot }) => (
        <Plot
          key={plot.title}
          {...plot}
          empty={isEmpty(plot.figures) ? empty : null}
          note={plot.figures.rows.length > SHOWN ? `The first ${SHOWN} of ${plot.figures.rows.length}.` : undefined}
        >
          <Ranking figures={plot.figures} most={SHOWN} />
        </Plot>
      ))}
    </div>
  );
}
