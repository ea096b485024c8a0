import { useQuery } from "@apollo/client/react";
import { Ellipsis, GitCompare, ListTree, Tag } from "lucide-react";
import { useState } from "react";

import { useAddress } from "../../../ui/address";
import { Badge } from "../../../ui/Badge";
import { Button } from "../../../ui/Button";
import { Menu } from "../../../ui/Menu";
import { Moment } from "../../../ui/Moment";
import { short, whole } from "../../../ui/numbers";
import { Failure, Loading } from "../../../ui/states";
import type { Fields } from "../editing/draft";
import { Compare } from "./Compare";
import { PromptVersionsDocument, type PromptVersionsQuery } from "./documents.generated";
import { others, price, rate, took } from "./figures";
import { moreOf } from "./more";
import { SetLabel } from "./SetLabel";
import { ShowMore } from "./ShowMore";
import styles from "./versions.module.css";

export const VERSIONS_PER_PAGE = 50;

type Version = NonNullable<PromptVersionsQuery["promptTemplate"]>["versions"]["edges"][number]["node"];

export interface VersionsProps {
  templateId: string;
  /** Put what an older version says into the editor; without it, nothing can be changed. */
  onRestore: ((version: number, fields: Fields) => void) | null;
  onExecutions: (versionId: string) => void;
}

/** All versions with what came of them, and what differs between two of them. */
export function Versions({ templateId, onRestore, onExecutions }: VersionsProps) {
  const { data, error, refetch, fetchMore, networkStatus } = useQuery(PromptVersionsDocument, {
    variables: { id: templateId, first: VERSIONS_PER_PAGE },
    notifyOnNetworkStatusChange: true,
  });
  const [address, setAddress] = useAddress();
  const [labelled, setLabelled] = useState<number | null>(null);
  const found = data?.promptTemplate?.versions;
  if (error && !found) {
    return <Failure error={error} onRetry={() => void refetch()} />;
  }
  if (!found) {
    return <Loading label="Loading the versions" />;
  }
  const versions = found.edges.map(({ node }) => node);
  const compare = (from: string, to: string) => setAddress({ from, to }, { replace: false });
  const close = () => setAddress({ from: null, to: null }, { replace: false });
  const from = address.get("from");
  const to = address.get("to");
  return (
    <div className={styles.stack}>
      <Compare
        templateId={templateId}
        versions={versions}
        from={from}
        to={to}
        onCompare={compare}
        onClose={close}
        onRestore={onRestore}
      />
      <div className={styles.scroll} tabIndex={0} role="region" aria-label="Versions">
        <table className={styles.table}>
          <thead>
            <tr>
              <th scope="col">Version</th>
              <th scope="col">Saved</th>
              <th scope="col">Executions</th>
              <th scope="col">Success</th>
              <th scope="col">Median time</th>
              <th scope="col">95%</th>
              <th scope="col">Tokens</th>
              <th scope="col">Cost</th>
              <th scope="col">
                <span className={styles.hidden}>What can be done</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {versions.map((version, index) => (
              <Row
                key={version.id}
                version={version}
                previous={versions[index + 1]}
                onCompare={compare}
                onLabel={onRestore && (() => setLabelled(version.version))}
                onExecutions={() => onExecutions(version.id)}
              />
            ))}
          </tbody>
        </table>
      </div>
      <p className={styles.muted}>{found.totalCount === 1 ? "1 version" : `${whole(found.totalCount)} versions`}</p>
      <ShowMore more={moreOf(found, fetchMore, networkStatus)} />
      <SetLabel
        templateId={templateId}
        version={labelled}
        onSet={() => void refetch()}
        onClose={() => setLabelled(null)}
      />
    </div>
  );
}

interface RowProps {
  version: Version;
  previous: Version | undefined;
  onCompare: (from: string, to: string) => void;
  onLabel: (() => void) | null;
  onExecutions: () => void;
}

function Row({ version, previous, onCompare, onLabel, onExecutions }: RowProps) {
  const { statistics: figures, labels } = version;
  return (
    <tr>
      <th scope="row">
        <span className={styles.number}>
          {version.version}
          {labels.map(({ label }) => (
            <Badge key={label} tone="info">
              {label}
            </Badge>
          ))}
        </span>
      </th>
      <td>
        <Moment at={version.createdAt} />
        {version.savedBy && ` by ${version.savedBy}`}
      </td>
      <td>
        {whole(figures.count)} <span className={styles.muted}>{others(figures)}</span>
      </td>
      <td>{rate(figures.successRate)}</td>
      <td>{took(figures.p50Ms)}</td>
      <td>{took(figures.p95Ms)}</td>
      <td>{short(figures.totalTokens)}</td>
      <td>{price(figures)}</td>
      <td className={styles.end}>
        <Menu
          label={`Version ${version.version}`}
          trigger={
            <Button kind="quiet" icon aria-label={`What to do with version ${version.version}`}>
              <Ellipsis size={18} aria-hidden />
            </Button>
          }
          entries={[
            {
              id: "compare",
              label: previous ? `Compare with version ${previous.version}` : "Look at its text",
              icon: <GitCompare size={16} aria-hidden />,
              onAction: () => onCompare(previous?.id ?? version.id, version.id),
            },
            {
              id: "executions",
              label: "Look at its executions",
              icon: <ListTree size={16} aria-hidden />,
              onAction: onExecutions,
            },
            ...(onLabel
              ? [{ id: "label", label: "Set a label…", icon: <Tag size={16} aria-hidden />, onAction: onLabel }]
              : []),
          ]}
        />
      </td>
    </tr>
  );
}
