import { NetworkStatus } from "@apollo/client";

interface PageOf {
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

export interface More {
  /** Ask for the next page; null where there is none. */
  showMore: (() => void) | null;
  isLoading: boolean;
}

/** What is behind the pages that are there. */
export function moreOf(
  page: PageOf,
  fetchMore: (options: { variables: { after: string | null } }) => Promise<unknown>,
  networkStatus: NetworkStatus,
): More {
  const { hasNextPage, endCursor } = page.pageInfo;
  return {
    showMore: hasNextPage ? () => void fetchMore({ variables: { after: endCursor } }) : null,
    isLoading: networkStatus === NetworkStatus.fetchMore,
  };
}
