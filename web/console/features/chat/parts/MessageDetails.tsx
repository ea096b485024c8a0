import type { ReactNode } from "react";

import { dollars, duration, whole } from "../../../ui/numbers";
import styles from "./parts.module.css";
import type { MessagePartsFragment } from "./parts.generated";
import { Value } from "./Value";

/** How a message came about: what it cost, what it was written with in view, what the person wants by it. */
export function MessageDetails({ message }: { message: MessagePartsFragment }) {
  const items = Object.entries(CONTEXTS).flatMap(([kind, label]) =>
    message.contextItems[kind as keyof typeof CONTEXTS].map((item) => ({ label, item })),
  );
  return (
    <details className={styles.details}>
      <summary>Details</summary>
      <dl className={styles.facts}>
        {factsOf(message).map(([name, fact]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{fact}</dd>
          </div>
        ))}
      </dl>
      {items.length > 0 && (
        <ul className={styles.items} aria-label="Context">
          {items.map(({ label, item }, index) => (
            <li key={index}>
              <Value label={label} text={JSON.stringify(item)} />
            </li>
          ))}
        </ul>
      )}
    </details>
  );
}

const CONTEXTS = {
  documentChunks: "Part of a document",
  insights: "Insight",
  jtbds: "Job to be done",
  metrics: "Metric",
};

function factsOf({ sequenceNumber, intent, run, generation, ...message }: MessagePartsFragment): [string, ReactNode][] {
  const facts: [string, ReactNode][] = [["Number", sequenceNumber]];
  const add = (name: string, fact: string | null | undefined): void => {
    if (fact) {
      facts.push([name, fact]);
    }
  };
  add("Model", run?.model ?? generation.model);
  add("Temperature", generation.temperature?.toString());
  add("Produced by", generation.source);
  add("Tokens", `${message.tokenCountEstimated ? "about " : ""}${whole(message.tokenCount)}`);
  add("Tokens of the answer", run?.usage && usageOf(run.usage, run.usageEstimated === true));
  add("Cost", run?.usage && (run.cost === null ? "not known" : dollars(run.cost)));
  add("Duration", lengthOf(run, generation.processingTimeMs));
  add("Turns", run && run.turns > 1 ? whole(run.turns) : null);
  add("Stopped by", run?.stopReason);
  add("Intent", intent && `${intent.name} (${Math.round(intent.confidence * 100)}%)`);
  add("Keywords", intent?.keywords.join(", "));
  return facts;
}

type Run = NonNullable<MessagePartsFragment["run"]>;

function usageOf({ input, cachedInput, output, reasoning, total }: NonNullable<Run["usage"]>, estimated: boolean) {
  const of = (count: string, what: string): string => (count === "0" ? "" : `, ${whole(count)} ${what}`);
  const read = `${whole(input)} read${of(cachedInput, "of them cached")}`;
  const written = `${whole(output)} written${of(reasoning, "of them reasoning")}`;
  return `${estimated ? "about " : ""}${whole(total)} (${read}; ${written})`;
}

function lengthOf(run: Run | null, processingTimeMs: number | null): string | null {
  if (run?.startedAt && run.finishedAt) {
    return duration(Date.parse(run.finishedAt) - Date.parse(run.startedAt));
  }
  return processingTimeMs === null ? null : duration(processingTimeMs);
}
