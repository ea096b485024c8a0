import { useQuery } from "@apollo/client/react";

import { go } from "../../app/router";
import { Button } from "../../ui/Button";
import { Empty, Failure, Loading } from "../../ui/states";
import { useMeans } from "../workflow/means";
import styles from "./approvals.module.css";
import { ApprovalsOfReviewsDocument } from "./documents.generated";
import { Items } from "./Items";
import { LONGEST_PAGE, PAGE, useReadAgain } from "./pages";
import { ReviewItem } from "./ReviewItem";

/** What reviewers of the tenant are to decide about, oldest first; read again whenever `awaited` is another. */
export function Reviews({ awaited }: { awaited: string | undefined }) {
  const { data, error, refetch, fetchMore } = useQuery(ApprovalsOfReviewsDocument, { variables: { first: PAGE } });
  const { mayReview } = useMeans();
  const found = data?.pendingReviews;
  const shown = found?.edges.map(({ node }) => node).filter(({ status }) => status === "PENDING") ?? [];
  useReadAgain(awaited, () => refetch({ first: Math.min(Math.max(PAGE, shown.length), LONGEST_PAGE) }));

  if (!found) {
    return error ? <Failure error={error} onRetry={() => void refetch()} /> : <Loading label="Loading reviews" />;
  }
  if (shown.length === 0) {
    return (
      <Empty
        title="Nothing is to be reviewed"
        action={<Button onPress={() => go("/workflow")}>To the projects</Button>}
      >
        When a model has made an attempt at a stage of a project, it appears here by itself.
      </Empty>
    );
  }
  return (
    <>
      <Items label="Attempts to be reviewed" ids={shown.map(({ id }) => id).join()}>
        {shown.map((review) => (
          <ReviewItem key={review.id} review={review} mayReview={mayReview} />
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
