import { useQuery } from "@apollo/client/react";
import { Link } from "react-router";

import { useAddress } from "../../../ui/address";
import { Badge } from "../../../ui/Badge";
import { Select } from "../../../ui/fields";
import { Moment } from "../../../ui/Moment";
import { dollars, whole } from "../../../ui/numbers";
import { Empty, Failure, Loading } from "../../../ui/states";
import { STATUSES } from "../words";
import {
  type PromptFiguresFragment,
  PromptVersionExecutionsDocument,
  type PromptVersionExecutionsQuery,
  PromptVersionsDocument,
} from "./documents.generated";
import { NONE, others, price, rate, took } from "./figures";
import { moreOf } from "./more";
import { ShowMore } from "./ShowMore";
import { VERSIONS_PER_PAGE } from "./Versions";
import styles from "./versions.module.css";

const PER_PAGE = 50;

type Version = Extract<PromptVersionExecutionsQuery["node"], { __typename: "PromptTemplateVersion" }>;
type Execution = Version["executions"]["edges"][number]["node"];

/** What a version was asked, and what came of it; which version is in the address. */
export function Executions({ templateId }: { templateId: string }) {
  const [address, setAddress] = useAddress();
  const { data, error, refetch } = useQuery(PromptVersionsDocument, {
    variables: { id: templateId, first: VERSIONS_PER_PAGE },
  });
  const versions = data?.promptTemplate?.versions.edges.map(({ node }) => node);
  if (error && !versions) {
    return <Failure error={error} onRetry={() => void refetch()} />;
  }
  if (!versions) {
    return <Loading label="Loading the versions" />;
  }
  const versionId = address.get("version") ?? versions[0]?.id ?? "";
  return (
    <div className={styles.stack}>
      <div className={styles.pair}>
        <Select
          label="Executions of"
          value={versionId}
          choices={versions.map(({ id, version }) => ({ value: id, label: `Version ${version}` }))}
          onChange={(version) => setAddress({ version }, { replace: false })}
        />
      </div>
      <OfVersion versionId={versionId} />
    </div>
  );
}

function OfVersion({ versionId }: { versionId: string }) {
  const { data, error, refetch, fetchMore, networkStatus } = useQuery(PromptVersionExecutionsDocument, {
    variables: { id: versionId, first: PER_PAGE },
    notifyOnNetworkStatusChange: true,
  });
  if (error && !data) {
    return <Failure error={error} onRetry={() => void refetch()} />;
  }
  if (!data) {
    return <Loading label="Loading the executions" />;
  }
  if (data.node?.__typename !== "PromptTemplateVersion") {
    return <Failure error={new Error("There is no such version.")} />;
  }
  const { statistics, executions } = data.node;
  return (
    <>
      <Statistics figures={statistics} />
      {executions.edges.length === 0 ? (
        <Empty title={statistics.count > 0 ? "None of these is yours" : "It was never asked"}>
          {statistics.count > 0
            ? "Executions are listed for whoever asked; the figures count those of everybody."
            : "Try it beside the editor: what comes of it is listed here."}
        </Empty>
      ) : (
        <div className={styles.scroll} tabIndex={0} role="region" aria-label="Executions">
          <table className={styles.table}>
            <thead>
              <tr>
                <th scope="col">Status</th>
                <th scope="col">Asked</th>
                <th scope="col">Conversation</th>
                <th scope="col">Model</th>
                <th scope="col">Label</th>
                <th scope="col">Tokens</th>
                <th scope="col">Cost</th>
                <th scope="col">Time</th>
              </tr>
            </thead>
            <tbody>
              {executions.edges.map(({ node }) => (
                <Row key={node.id} execution={node} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <ShowMore more={moreOf(executions, fetchMore, networkStatus)} />
    </>
  );
}

function Row({ execution }: { execution: Execution }) {
  const { status, createdAt, session, run, label, usage, cost, durationMs } = execution;
  return (
    <tr>
      <td>
        <Badge tone={STATUSES[status].tone}>{STATUSES[status].label}</Badge>
      </td>
      <td>
        <Moment at={createdAt} />
      </td>
      <td className={styles.wide}>
        {session && <Link to={`/chat/${encodeURIComponent(session.id)}`}>{session.title}</Link>}
      </td>
      <td>{run?.model ?? NONE}</td>
      <td>{label ?? NONE}</td>
      <td>{usage ? whole(usage.total) : NONE}</td>
      <td>{cost === null ? NONE : dollars(cost)}</td>
      <td>{took(durationMs)}</td>
    </tr>
  );
}

function Statistics({ figures }: { figures: PromptFiguresFragment }) {
  const told: [string, string][] = [
    ["Executions", [whole(figures.count), others(figures)].filter(Boolean).join(": ")],
    ["Success", rate(figures.successRate)],
    ["Median time", took(figures.p50Ms)],
    ["95% within", took(figures.p95Ms)],
    ["Tokens", whole(figures.totalTokens)],
    ["Cost", price(figures)],
  ];
  return (
    <dl className={styles.figures} aria-label="Statistics">
      {told.map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
