import { useQuery } from "@apollo/client/react";

import { Moment } from "../../../ui/Moment";
import { Failure, Loading } from "../../../ui/states";
import { CHANGES } from "../words";
import { PromptHistoryDocument, type PromptHistoryQuery } from "./documents.generated";
import { moreOf } from "./more";
import { ShowMore } from "./ShowMore";
import styles from "./versions.module.css";

const PER_PAGE = 100;

type Change = NonNullable<PromptHistoryQuery["promptTemplate"]>["history"]["edges"][number]["node"];

/** All that was ever done to a prompt, or to one label of it: last first. */
export function History({ templateId, label }: { templateId: string; label?: string }) {
  const { data, error, refetch, fetchMore, networkStatus } = useQuery(PromptHistoryDocument, {
    variables: { id: templateId, first: PER_PAGE },
    notifyOnNetworkStatusChange: true,
  });
  const found = data?.promptTemplate?.history;
  if (error && !found) {
    return <Failure error={error} onRetry={() => void refetch()} />;
  }
  if (!found) {
    return <Loading label="Loading the history" />;
  }
  const changes = found.edges.map(({ node }) => node).filter((change) => label === undefined || change.label === label);
  const more = moreOf(found, fetchMore, networkStatus);
  return (
    <>
      <ol className={styles.history} aria-label={label === undefined ? "History" : `History of ${label}`}>
        {changes.map((change) => (
          <li key={change.revision}>
            <span className={styles.revision}>{change.revision}</span>
            <span>
              <strong>{change.actor}</strong> {said(change)}
            </span>
            <span className={styles.when}>
              <Moment at={change.at} />
            </span>
          </li>
        ))}
      </ol>
      {changes.length === 0 && more.showMore && <p className={styles.muted}>Nothing in the last changes.</p>}
      <ShowMore more={more} />
    </>
  );
}

/** What was done, in words. */
function said({ kind, label, version, fromVersion }: Change): string {
  switch (kind) {
    case "UPDATED":
      return `saved version ${version}`;
    case "LABELLED":
      return fromVersion === null
        ? `set the label ${label} to version ${version}`
        : `moved the label ${label} from version ${fromVersion} to ${version}`;
    case "UNLABELLED":
      return `removed the label ${label} from version ${fromVersion}`;
    default:
      return CHANGES[kind];
  }
}
