// Drives the clients of docs/clients.md: a line of JSON says which and with what, and a line says what it was told.
import { createInterface } from "node:readline";
import { SEND, FOLLOW } from "./answers.mjs";
import * as apollo from "./with-apollo.mjs";
import * as overEvents from "./with-graphql-sse.mjs";
import * as overSocket from "./with-graphql-ws.mjs";
import * as urql from "./with-urql.mjs";

const apolloBy = (client) => ({
  request: (...asked) => apollo.request(client, ...asked),
  follow: (...asked) => apollo.follow(client, ...asked),
});

const clients = {
  "graphql-ws": overSocket,
  "graphql-sse": overEvents,
  "apollo multipart": apolloBy(apollo.overHttp),
  "apollo sockets": apolloBy(apollo.overSockets),
  urql,
};

let connectedAgain = 0;
overSocket.client.on("connected", (_socket, _payload, wasRetry) => (connectedAgain += Number(wasRetry)));

/** The codes of what a library throws: a list of errors, an error that has them, or one with the body of the answer. */
const codesOf = (thrown) => {
  const told = thrown.bodyText ? JSON.parse(thrown.bodyText) : thrown;
  const errors = Array.isArray(told) ? told : (told.errors ?? told.graphQLErrors ?? []);
  return errors.length ? errors.map(({ extensions }) => extensions.code) : [String(thrown)];
};

async function told(client, content) {
  const { viewer } = await client.request("query { viewer { userId } }");
  const input = { content, model: "local:echo", clientKey: `${content}, once` };
  const sent = (await client.request(SEND, { input })).sendMessage;
  const events = [];
  await client.follow(FOLLOW, sent.run.id, (event) => events.push(event));
  const again = (await client.request(SEND, { input })).sendMessage;
  const refused = (await client.request(SEND, { input: { content: "" } })).sendMessage;
  const invalid = await client.request("query { nothing }").then(() => null, codesOf);
  const unknown = await client.follow(FOLLOW, "nobody", () => {}).then(() => null, codesOf);
  return {
    user: viewer.userId, run: sent.run.id, again: [again.run.id, again.deduplicated], refused: refused.error.code,
    invalid, unknown, events, connectedAgain,
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { name, content } = JSON.parse(line);
  const answer = await told(clients[name], content).catch((error) => ({ failed: codesOf(error), stack: error.stack }));
  console.log(JSON.stringify(answer));
}
process.exit(0);
