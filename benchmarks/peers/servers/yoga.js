// GraphQL Yoga over the same tables, written as one would by hand: resolvers, a DataLoader for each relation, prepared
// statements over a pool, in one process.
//
//   PORT=… PGHOST=… PGPORT=… PGUSER=… PGDATABASE=… POOL_SIZE=… node yoga.js
import { createServer } from "node:http";
import DataLoader from "dataloader";
import { createSchema, createYoga } from "graphql-yoga";
import pg from "pg";

const port = Number(process.env.PORT);
const pool = new pg.Pool({ max: Number(process.env.POOL_SIZE) });
const TENANT = "default";

const typeDefs = /* GraphQL */ `
  scalar DateTime

  enum SessionStatus { active paused completed failed archived }
  enum MessageRole { system user assistant tool }
  enum MessageStatus { pending processing completed failed cancelled }

  type Query {
    sessions(first: Int!): SessionConnection!
    session(id: ID!): Session
  }

  type PageInfo {
    hasNextPage: Boolean!
    hasPreviousPage: Boolean!
    startCursor: String
    endCursor: String
  }

  type SessionConnection { nodes: [Session!]! pageInfo: PageInfo! }

  type Session {
    id: ID!
    title: String!
    description: String
    status: SessionStatus!
    agentId: String
    model: String
    provider: String
    createdAt: DateTime!
    updatedAt: DateTime!
    messageCount: Int!
    messages(last: Int!): MessageConnection!
  }

  type MessageConnection { nodes: [Message!]! pageInfo: PageInfo! }

  type Message {
    id: ID!
    sequenceNumber: Int!
    role: MessageRole!
    status: MessageStatus!
    content: String!
    tokenCount: Int!
    createdAt: DateTime!
    toolCalls: [ToolCall!]!
  }

  type ToolCall {
    id: ID!
    position: Int!
    name: String!
    arguments: String!
    result: String
    success: Boolean
    durationMs: Int
  }
`;

// Columns come named as the graph's fields are, which spares a resolver for each.
const SESSION = `id, title, description, status, agent_id AS "agentId", model, provider, created_at AS "createdAt",
  updated_at AS "updatedAt", last_sequence AS "messageCount"`;
const MESSAGE = `id, session_id AS "sessionId", sequence_number AS "sequenceNumber", role, status, content,
  token_count AS "tokenCount", created_at AS "createdAt"`;
const TOOL_CALL = `id, message_id AS "messageId", position, name, arguments, result, success, duration_ms AS "durationMs"`;

const SESSIONS = `SELECT ${SESSION} FROM chat_sessions
  WHERE tenant_id = $1 AND user_id = $2 AND project_id IS NULL ORDER BY updated_at DESC, id DESC LIMIT $3`;
const SESSION_BY_ID = `SELECT ${SESSION} FROM chat_sessions WHERE tenant_id = $1 AND user_id = $2 AND id = ANY ($3::uuid[])`;
const LAST_MESSAGES = `SELECT message.* FROM unnest($2::uuid[]) AS wanted (session),
  LATERAL (SELECT ${MESSAGE} FROM chat_messages WHERE tenant_id = $1 AND session_id = wanted.session
           ORDER BY sequence_number DESC LIMIT $3) AS message`;
const TOOL_CALLS = `SELECT ${TOOL_CALL} FROM tool_calls
  WHERE tenant_id = $1 AND message_id = ANY ($2::uuid[]) ORDER BY message_id, position`;

// A statement with a name is prepared once on each connection.
async function rows(name, text, values) {
  return (await pool.query({ name, text, values })).rows;
}

function grouped(keys, found, keyOf) {
  const groups = new Map(keys.map((key) => [key, []]));
  for (const row of found) groups.get(keyOf(row)).push(row);
  return keys.map((key) => groups.get(key));
}

// New for each request: what one request has read is not another's.
function loaders(user) {
  const messages = new Map();
  return {
    session: new DataLoader(async (ids) => {
      const found = await rows("session", SESSION_BY_ID, [TENANT, user, ids]);
      const byId = new Map(found.map((row) => [row.id, row]));
      return ids.map((id) => byId.get(id) ?? null);
    }),
    // One more than is asked for tells whether there are more.
    lastMessages(last) {
      if (!messages.has(last)) {
        const load = async (ids) =>
          grouped(ids, await rows("messages", LAST_MESSAGES, [TENANT, ids, last + 1]), (row) => row.sessionId);
        messages.set(last, new DataLoader(load));
      }
      return messages.get(last);
    },
    toolCalls: new DataLoader(async (ids) =>
      grouped(ids, await rows("calls", TOOL_CALLS, [TENANT, ids]), (row) => row.messageId),
    ),
  };
}

const cursor = (value) => Buffer.from(String(value)).toString("base64url");

const resolvers = {
  Query: {
    async sessions(_, { first }, { user }) {
      const found = await rows("sessions", SESSIONS, [TENANT, user, first + 1]);
      const nodes = found.slice(0, first);
      const place = (row) => row && cursor(`${row.updatedAt.toISOString()}|${row.id}`);
      return {
        nodes,
        pageInfo: {
          hasNextPage: found.length > first,
          hasPreviousPage: false,
          startCursor: place(nodes[0]),
          endCursor: place(nodes.at(-1)),
        },
      };
    },
    session: (_, { id }, { load }) => load.session.load(id),
  },
  Session: {
    async messages(session, { last }, { load }) {
      const found = await load.lastMessages(last).load(session.id);
      const nodes = found.slice(0, last).reverse();
      return {
        nodes,
        pageInfo: {
          hasNextPage: false,
          hasPreviousPage: found.length > last,
          startCursor: nodes.length ? cursor(nodes[0].sequenceNumber) : null,
          endCursor: nodes.length ? cursor(nodes.at(-1).sequenceNumber) : null,
        },
      };
    },
  },
  Message: {
    toolCalls: (message, _, { load }) => load.toolCalls.load(message.id),
  },
  DateTime: {
    serialize: (moment) => moment.toISOString(),
  },
};

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context({ request }) {
    const user = request.headers.get("x-colloquy-user");
    return { user, load: loaders(user) };
  },
  logging: false,
  graphiql: false,
  landingPage: false,
});

createServer(yoga).listen(port, "127.0.0.1");
