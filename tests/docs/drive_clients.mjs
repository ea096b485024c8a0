// Drives the clients of docs/clients.md: a line of JSON says which and with what, and a line says what it was told.
import { createInterface } from "node:readline";
import { SEND, FOLLOW } from "./answers.mjs";
import * as apollo from "./with-apollo.mjs";
import * as overEvents from "./with-graphql-sse.mjs";
import * as overSocket from "./with-graphql-ws.mjs";
import { connected } from "./with-persisted-queries.mjs";
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

/** What two people send who ask for the same twice each: by which method, and whether with the text. */
async function persisted(content) {
  const sent = [];
  const fetch = (uri, options) => {
    const text = options.method === "GET" ? new URL(uri).searchParams.get("query") : JSON.parse(options.body).query;
    sent.push([options.method, Boolean(text)]);
    return globalThis.fetch(uri, options);
  };
  const told = [];
  for (const client of [connected(fetch), connected(fetch)]) {
    for (const turn of ["first", "second"]) {
      const input = { content, model: "local:echo", clientKey: `${content}, once` };
      const { viewer } = await apollo.request(client, "query Persisted { viewer { userId } }");
      const { sendMessage } = await apollo.request(client, SEND.replace("mutation", "mutation Persisted"), { input });
      told.push([turn, viewer.userId, sendMessage.run.id]);
    }
  }
  return { sent, told };
}

for await (const line of createInterface({ input: process.stdin })) {
  const { name, content } = JSON.parse(line);
  const answer = await (name in clients ? told(clients[name], content) : persisted(content)).catch((error) => ({ failed: codesOf(error), stack: error.stack }));
  console.log(JSON.stringify(answer));
}
process.exit(0);
