import { useQuery } from "@apollo/client/react";
import { ChevronDown, ChevronRight } from "lucide-react";
import { Link } from "react-router";

import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Moment } from "../../ui/Moment";
import { Failure, Loading } from "../../ui/states";
import styles from "./AuditPage.module.css";
import { AuditEventPayloadDocument, type AuditEventsQuery } from "./documents.generated";
import { inWords, TONES } from "./kinds";

export type Happened = AuditEventsQuery["auditEvents"]["edges"][number]["node"];

export interface EventLineProps {
  event: Happened;
  isOpen: boolean;
  onToggle: () => void;
  /** The address of this page with one filter set. */
  linkTo: (name: "actor" | "correlation", value: string) => string;
}

/** What happened, when, to what, and by whom; its facts when they are asked for. */
export function EventLine({ event, isOpen, onToggle, linkTo }: EventLineProps) {
  const { id, seq, kind, actor, correlationId, at } = event;
  const Chevron = isOpen ? ChevronDown : ChevronRight;
  return (
    <article className={styles.event} aria-label={`${inWords(kind)}, number ${seq}`}>
      <div className={styles.line}>
        <Button
          kind="quiet"
          icon
          aria-expanded={isOpen}
          aria-label={`Facts of ${inWords(kind)}, number ${seq}`}
          onPress={onToggle}
        >
          <Chevron size={16} aria-hidden />
        </Button>
        <span className={styles.kind}>
          <Badge tone={TONES[kind]}>{inWords(kind)}</Badge>
        </span>
        <span className={styles.when}>
          <Moment at={at} />
        </span>
        <span className={styles.subject}>
          <Subject event={event} /> <span className={styles.number}>#{seq}</span>
        </span>
        <Link to={linkTo("actor", actor)} className={styles.actor}>
          {actor}
        </Link>
        <Link to={linkTo("correlation", correlationId)} className={styles.correlation}>
          {correlationId}
        </Link>
      </div>
      {isOpen && <Payload id={id} />}
    </article>
  );
}

/** Where it happened. It may be deleted since: its page then says so. */
function Subject({ event: { sessionId, projectId } }: { event: Happened }) {
  return projectId ? (
    <Link to={`/workflow/${encodeURIComponent(projectId)}`}>Project</Link>
  ) : (
    <Link to={`/chat/${encodeURIComponent(sessionId ?? "")}`}>Session</Link>
  );
}

function Payload({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(AuditEventPayloadDocument, { variables: { id } });
  if (data?.node?.__typename === "AuditEvent") {
    return (
      <pre className={styles.payload} tabIndex={0} aria-label="Facts">
        {JSON.stringify(data.node.payload, null, 2)}
      </pre>
    );
  }
  return error ? <Failure error={error} onRetry={() => void refetch()} /> : <Loading label="Loading the facts" />;
}
