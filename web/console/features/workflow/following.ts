import { useEffect, useEffectEvent } from "react";

import { client } from "../../api/client";
import { follow, type Following } from "../../api/socket";
import {
  type AuditEventFilter,
  type EventKind,
  WorkflowPositionDocument,
  WorkflowProjectEventsDocument,
  WorkflowSessionEventsDocument,
} from "./documents.generated";

/** Called with null as soon as nothing that is read from then on can be missed, and with each event behind that. */
export type Heard = (kind: EventKind | null) => void;

/** Follow what happens to a project from now on; the answer ends that. */
export function followProject(projectId: string, heard: Heard, refused?: Following<unknown>["refused"]): () => void {
  return fromNow({ projectId }, (after) => {
    heard(null);
    return follow(
      WorkflowProjectEventsDocument,
      { projectId },
      {
        next: ({ projectEvents: { seq, kind } }) => {
          heard(kind);
          return seq;
        },
        ...(refused && { refused }),
      },
      after,
    );
  });
}

/** The same of a session. */
export function followSession(sessionId: string, heard: Heard): () => void {
  return fromNow({ sessionId }, (after) => {
    heard(null);
    return follow(
      WorkflowSessionEventsDocument,
      { sessionId },
      {
        next: ({ sessionEvents: { seq, kind } }) => {
          heard(kind);
          return seq;
        },
      },
      after,
    );
  });
}

/**
 * Begin behind the last event there is. "From now on" would begin when the server takes the subscription, and what
 * happens between a page's first reading and that would never be told.
 */
function fromNow(filter: AuditEventFilter, begin: (after: string | null) => () => void): () => void {
  let end: (() => void) | null = null;
  let ended = false;
  const beginUnlessEnded = (after: string | null) => {
    if (!ended) {
      end = begin(after);
    }
  };
  client.query({ query: WorkflowPositionDocument, variables: { filter }, fetchPolicy: "no-cache" }).then(
    ({ data }) => beginUnlessEnded(data?.auditEvents.nodes[0]?.seq ?? "0"),
    // The socket connects again by itself; the events from then on are better than none.
    () => beginUnlessEnded(null),
  );
  return () => {
    ended = true;
    end?.();
  };
}

/** Follow the project that a page shows. */
export function useProjectEvents(projectId: string, heard: Heard): void {
  const onHeard = useEffectEvent(heard);
  useEffect(() => followProject(projectId, (kind) => onHeard(kind)), [projectId]);
}
