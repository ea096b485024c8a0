import { useQuery } from "@apollo/client/react";
import { RefreshCw } from "lucide-react";
import { useMemo, useState } from "react";
import { Virtuoso } from "react-virtuoso";

import { useViewer } from "../../api/viewer";
import { changed, useAddress } from "../../ui/address";
import { Button } from "../../ui/Button";
import { Page } from "../../ui/Page";
import { Empty, Failure, Loading } from "../../ui/states";
import styles from "./AuditPage.module.css";
import { AuditEventsDocument } from "./documents.generated";
import { EventLine } from "./EventLine";
import { filterOf, type FilterName, FILTERS } from "./filter";
import { Filters } from "./Filters";

const AT_ONCE = 50;

/** What happened, newest first: in one's own sessions, and for an admin in the whole tenant. */
export function Component() {
  const [params, change] = useAddress();
  const filter = useMemo(() => filterOf(params), [params]);
  const { data, error, loading, fetchMore, refetch } = useQuery(AuditEventsDocument, {
    variables: { filter, first: AT_ONCE },
  });
  const clear = () => change(Object.fromEntries(FILTERS.map((name) => [name, null])), { replace: false });
  const events = data?.auditEvents;
  const more = () => {
    if (events?.pageInfo.hasNextPage && !loading) {
      void fetchMore({ variables: { after: events.pageInfo.endCursor } });
    }
  };
  const refresh = (
    <Button onPress={() => void refetch()} isPending={loading}>
      <RefreshCw size={16} aria-hidden />
      Refresh
    </Button>
  );
  return (
    <Page title="Audit trail" actions={refresh}>
      <div className={styles.page}>
        <Whose />
        <Filters
          params={params}
          onChange={(name, value) => change({ [name]: value }, { replace: false })}
          onClear={clear}
        />
        {!events && (error ? <Failure error={error} onRetry={() => void refetch()} /> : <Loading />)}
        {events?.edges.length === 0 && <Nothing isFiltered={FILTERS.some((name) => params.get(name))} />}
        {events && events.edges.length > 0 && (
          <Events
            // What is open or scrolled to belongs to what was asked for.
            key={params.toString()}
            edges={events.edges}
            isLoading={loading}
            onEnd={more}
            linkTo={(name, value) => `?${changed(params, { [name]: value })}`}
          />
        )}
      </div>
    </Page>
  );
}

function Whose() {
  const isAdmin = useViewer()?.roles.includes("ADMIN");
  return (
    <p className={styles.lead}>
      {isAdmin
        ? "What happened in the whole tenant, newest first."
        : "What happened in your sessions, newest first; of a project of your tenant, filter by its id."}
    </p>
  );
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  return isFiltered ? (
    <Empty title="Nothing of that kind happened">Ask for less, or clear the filters.</Empty>
  ) : (
    <Empty title="Nothing has happened yet">What is done in conversations and projects is recorded here.</Empty>
  );
}

interface EventsProps {
  edges: readonly { cursor: string; node: Parameters<typeof EventLine>[0]["event"] }[];
  isLoading: boolean;
  onEnd: () => void;
  linkTo: (name: FilterName, value: string) => string;
}

function Events({ edges, isLoading, onEnd, linkTo }: EventsProps) {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (id: string) => {
    const next = new Set(open);
    if (!next.delete(id)) {
      next.add(id);
    }
    setOpen(next);
  };
  return (
    <Virtuoso
      className={styles.events ?? ""}
      role="feed"
      aria-busy={isLoading}
      aria-label="Events"
      data={edges}
      computeItemKey={(_, { node }) => node.id}
      endReached={onEnd}
      increaseViewportBy={400}
      itemContent={(_, { node }) => (
        <EventLine event={node} isOpen={open.has(node.id)} onToggle={() => toggle(node.id)} linkTo={linkTo} />
      )}
    />
  );
}
