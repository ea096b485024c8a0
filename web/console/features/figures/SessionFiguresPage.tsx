import { useQuery } from "@apollo/client/react";
import { parseAbsolute, toCalendarDate } from "@internationalized/date";
import { useParams, useSearchParams } from "react-router";

import { Button } from "../../ui/Button";
import { Page } from "../../ui/Page";
import { Empty, Failure, Loading } from "../../ui/states";
import { go } from "../../app/router";
import { Controls } from "./Controls";
import { FiguresSessionDocument, type FiguresSessionQuery } from "./documents.generated";
import { PromptExecutions, ToolExecutions } from "./Executions";
import styles from "./Figures.module.css";
import { WHOLE, read } from "./range";
import { SessionTotals } from "./SessionTotals";
import { Shown } from "./Shown";
import { isZone, zoneHere } from "./zones";

/** What one session adds up to. */
export function Component() {
  const { sessionId = "" } = useParams();
  const { data, error, refetch } = useQuery(FiguresSessionDocument, { variables: { id: sessionId } });
  if (error) {
    return (
      <Page title="Figures of a session">
        <Failure error={error} onRetry={() => void refetch()} />
      </Page>
    );
  }
  if (!data) {
    return (
      <Page title="Figures of a session">
        <Loading label="Loading figures" />
      </Page>
    );
  }
  return data.session ? (
    <OfSession session={data.session} data={data} />
  ) : (
    <Page title="Figures of a session">
      <Empty
        title="There is no such session"
        action={
          <Button kind="primary" onPress={() => go("/figures")}>
            To all figures
          </Button>
        }
      >
        It was deleted, or it is somebody else’s.
      </Empty>
    </Page>
  );
}

interface OfSessionProps {
  session: NonNullable<FiguresSessionQuery["session"]>;
  data: FiguresSessionQuery;
}

function OfSession({ session, data: { lifetime, path } }: OfSessionProps) {
  const [address] = useSearchParams();
  const asked = address.get("zone");
  const zone = asked !== null && isZone(asked) ? asked : zoneHere();
  const earliest = toCalendarDate(parseAbsolute(session.createdAt, zone));
  const wanted = read(address, { zone, preset: WHOLE, earliest });
  return (
    <Page
      title={`Figures of “${session.title}”`}
      actions={<Button onPress={() => go(`/chat/${encodeURIComponent(session.id)}`)}>Open the conversation</Button>}
    >
      {lifetime && path && (
        <section className={styles.section} aria-label="Altogether">
          <h2>Altogether</h2>
          <SessionTotals lifetime={lifetime} path={path} />
        </section>
      )}
      <Controls wanted={wanted} whole />
      <Shown wanted={wanted} sessionId={session.id} />
      <section className={styles.section} aria-label="Executions">
        <h2>Executions</h2>
        <div className={styles.plots}>
          <ToolExecutions sessionId={session.id} />
          <PromptExecutions sessionId={session.id} />
        </div>
      </section>
    </Page>
  );
}
