import { useQuery } from "@apollo/client/react";

import { Button } from "../../../ui/Button";
import { Select } from "../../../ui/fields";
import { Failure, Loading } from "../../../ui/states";
import { Comparison } from "../editing/Comparison";
import { type Fields, fieldsOf } from "../editing/draft";
import { PromptComparisonDocument, PromptVersionTextDocument } from "./documents.generated";
import styles from "./versions.module.css";

export interface CompareProps {
  templateId: string;
  /** Those that can be chosen. */
  versions: readonly { id: string; version: number }[];
  /** The id of the version it begins with; null for none. */
  from: string | null;
  to: string | null;
  onCompare: (from: string, to: string) => void;
  onClose: () => void;
  onRestore: ((version: number, fields: Fields) => void) | null;
}

/** Two versions beside each other; the older can be gone back to. */
export function Compare({ templateId, versions, from, to, onCompare, onClose, onRestore }: CompareProps) {
  const latest = versions[0]?.id ?? "";
  const before = from ?? versions[1]?.id ?? latest;
  const after = to ?? latest;
  const isShown = from !== null && to !== null;
  const choices = versions.map(({ id, version }) => ({ value: id, label: `Version ${version}` }));
  return (
    <section className={styles.stack} aria-label="Comparison">
      <div className={styles.pair}>
        <Select label="From" value={before} choices={choices} onChange={(id) => onCompare(id, after)} />
        <Select label="To" value={after} choices={choices} onChange={(id) => onCompare(before, id)} />
        {isShown ? (
          <Button kind="quiet" onPress={onClose}>
            Close the comparison
          </Button>
        ) : (
          <Button onPress={() => onCompare(before, after)}>Compare</Button>
        )}
      </div>
      {isShown && <Texts templateId={templateId} from={from} to={to} onRestore={onRestore} />}
    </section>
  );
}

/** What the version of this id says; null until it is there. */
function useVersion(id: string) {
  const { data, error, refetch } = useQuery(PromptVersionTextDocument, { variables: { id } });
  const version = data?.node?.__typename === "PromptTemplateVersion" ? data.node : null;
  return { version, isMissing: data !== undefined && version === null, error, refetch };
}

function Texts({
  templateId,
  from,
  to,
  onRestore,
}: Pick<CompareProps, "templateId" | "onRestore"> & Record<"from" | "to", string>) {
  const before = useVersion(from);
  const after = useVersion(to);
  for (const { error, refetch, isMissing } of [before, after]) {
    if (error) {
      return <Failure error={error} onRetry={() => void refetch()} />;
    }
    if (isMissing) {
      return <Failure error={new Error("There is no such version.")} />;
    }
  }
  if (!before.version || !after.version) {
    return <Loading label="Loading the texts" />;
  }
  const [old, next] = [before.version, after.version];
  return (
    <>
      <div className={styles.between}>
        <h2>What differs</h2>
        <Counts templateId={templateId} from={old.version} to={next.version} />
        {onRestore && (
          <Button onPress={() => onRestore(old.version, fieldsOf(old))}>Go back to version {old.version}…</Button>
        )}
      </div>
      <Comparison
        before={fieldsOf(old)}
        after={fieldsOf(next)}
        beforeLabel={`Version ${old.version}`}
        afterLabel={`Version ${next.version}`}
      />
    </>
  );
}

function Counts({ templateId, from, to }: { templateId: string; from: number; to: number }) {
  const { data } = useQuery(PromptComparisonDocument, { variables: { templateId, from, to } });
  const diff = data?.promptTemplate?.diff;
  return (
    <p className={styles.muted} role="status">
      {diff &&
        (diff.addedLines + diff.removedLines === 0
          ? "Both say the same."
          : `${lines(diff.addedLines)} added, ${lines(diff.removedLines)} removed in all that they say.`)}
    </p>
  );
}

function lines(count: number): string {
  return count === 1 ? "1 line" : `${count} lines`;
}
