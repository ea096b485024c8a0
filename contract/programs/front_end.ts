// A front end's own code over what is generated: it compiles only where types, nullability and unions are right.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import {
  CompletionSubscriptionDocument,
  ProjectPageQueryDocument,
  SendMessageMutationDocument,
  SessionListQueryDocument,
  SessionPageQueryDocument,
} from "./generated";
import type { CompletionSubscription, SessionList_SessionFragment } from "./generated";

type Ask = <Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: NoInfer<Variables>,
) => Promise<Data>;
type Follow = <Data, Variables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: NoInfer<Variables>,
) => AsyncIterable<Data>;

/** The titles of all sessions, page by page. */
export async function titles(ask: Ask): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | null = null;
  do {
    const { sessions }: { sessions: Awaited<ReturnType<typeof page>>["sessions"] } = await page(ask, cursor);
    found.push(...sessions.edges.map((edge) => shown(edge.node)));
    cursor = sessions.pageInfo.hasNextPage ? (sessions.pageInfo.endCursor ?? null) : null;
  } while (cursor !== null);
  return found;
}

const page = (ask: Ask, cursor: string | null) =>
  ask(SessionListQueryDocument, { cursor, filter: { status: ["ACTIVE"] } });

const shown = (session: SessionList_SessionFragment): string => `${session.title} (${session.messageCount})`;

/** Sends a question and returns its answer as it was shown at last. */
export async function answer(ask: Ask, follow: Follow, content: string): Promise<string> {
  const { sendMessage } = await ask(SendMessageMutationDocument, { input: { content, clientKey: "1" } });
  if (!sendMessage.success || !sendMessage.run) {
    throw new Error(sendMessage.error?.code === "RUN_ACTIVE" ? "wait" : sendMessage.error?.message);
  }
  let text = "";
  for await (const { messageCompletion } of follow(CompletionSubscriptionDocument, { runId: sendMessage.run.id })) {
    text = after(text, messageCompletion);
  }
  return text;
}

/** Every member of the union has its branch: a new one does not compile. */
function after(text: string, event: CompletionSubscription["messageCompletion"]): string {
  switch (event.__typename) {
    case "CompletionSnapshot":
      return event.text;
    case "CompletionDelta":
      return text + event.text;
    case "CompletionToolCall":
      return `${text}\n${event.toolCall?.name ?? ""}`;
    case "CompletionTurn":
      return text;
    case "CompletionFinished":
    case "CompletionCancelled":
      return event.message?.content ?? text;
    case "CompletionFailed":
      throw new Error(event.error?.message);
    case "CompletionInterrupted":
      return `${text} (${event.run.status})`;
    default:
      return never(event);
  }
}

function never(value: never): never {
  throw new Error(`not foreseen: ${JSON.stringify(value)}`);
}

/** What would be told of a conversation and of a project; null where there is none. */
export async function summary(ask: Ask, sessionId: string, projectId: string): Promise<string | null> {
  const { session } = await ask(SessionPageQueryDocument, { sessionId });
  const { project } = await ask(ProjectPageQueryDocument, { projectId });
  if (!session || !project) return null;
  const cost: string = session.estimatedCost;
  const stories = project.stages.edges.flatMap(({ node }) =>
    node.__typename === "StoryGeneration" ? (node.stories ?? []).map((story) => story.title) : [],
  );
  return [session.title, cost, ...stories].join("\n");
}

/** What must not compile. */
export async function mistakes(ask: Ask): Promise<void> {
  // @ts-expect-error a variable that must be given
  await ask(SessionPageQueryDocument, {});
  // @ts-expect-error a value that the enum does not have
  await ask(SessionListQueryDocument, { filter: { status: ["SLEEPING"] } });
  // @ts-expect-error an input's field that it does not have
  await ask(SendMessageMutationDocument, { input: { content: "hello", sesionId: "1" } });
  const { session } = await ask(SessionPageQueryDocument, { sessionId: "1" });
  // @ts-expect-error it may not be there
  session.title.trim();
}
