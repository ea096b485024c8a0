import { useQuery } from "@apollo/client/react";
import { Button } from "../../ui/Button";
import { Empty, Failure, Loading } from "../../ui/states";
import styles from "./approvals.module.css";
import { ApprovalsOfToolsDocument } from "./documents.generated";
import { Items } from "./Items";
import { LONGEST_PAGE, PAGE, useReadAgain } from "./pages";
import { ToolApproval } from "./ToolApproval";
import { useNow } from "./useNow";

/** The calls of tools that await approval, oldest first; read again whenever `awaited` is another. */
export function ToolApprovals({ awaited }: { awaited: string | undefined }) {
  const { data, error, refetch, fetchMore } = useQuery(ApprovalsOfToolsDocument, { variables: { first: PAGE } });
  const now = useNow();
  const found = data?.pendingApprovals;
  const shown = found?.edges.map(({ node }) => node).filter(({ status }) => status === "AWAITING_APPROVAL") ?? [];
  const ids = shown.map(({ id }) => id).join();

  useReadAgain(awaited, () => refetch({ first: Math.min(Math.max(PAGE, shown.length), LONGEST_PAGE) }));

  if (!found) {
    return error ? <Failure error={error} onRetry={() => void refetch()} /> : <Loading label="Loading tool calls" />;
  }
  if (shown.length === 0) {
    return (
      <Empty title="No tool awaits your approval">
        When an agent in one of your conversations asks to use a tool that needs your approval, it appears here by
        itself.
      </Empty>
    );
  }
  return (
    <>
      <Items label="Tool calls that await approval" ids={ids}>
        {shown.map((execution) => (
          <ToolApproval key={execution.id} execution={execution} now={now} />
        ))}
      </Items>
      {found.pageInfo.hasNextPage && (
        <div className={styles.more}>
          <Button onPress={() => void fetchMore({ variables: { first: PAGE, after: found.pageInfo.endCursor } })}>
            Show more of {found.totalCount}
          </Button>
        </div>
      )}
    </>
  );
}
