// PostGraphile 5 as it is recommended for production: the Amber preset, over Node's own HTTP server, in one process.
//
//   PORT=… PGHOST=… PGPORT=… PGUSER=… PGDATABASE=… POOL_SIZE=… node postgraphile.js
import { createServer } from "node:http";
import pg from "pg";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { jsonPgSmartTags } from "postgraphile/utils";

const port = Number(process.env.PORT);

// Amber lets lists be ordered and filtered by columns that lead an index. These two follow in the index of the list that
// is asked for, which needs both.
const listed = jsonPgSmartTags({
  version: 1,
  config: {
    class: {
      chat_sessions: {
        attribute: {
          updated_at: { tags: { behavior: "+orderBy" } },
          project_id: { tags: { behavior: "+filterBy" } },
        },
      },
    },
  },
});

const served = postgraphile({
  extends: [PostGraphileAmberPreset],
  plugins: [listed],
  pgServices: [makePgService({ pool: new pg.Pool({ max: Number(process.env.POOL_SIZE) }), schemas: ["public"] })],
  // Plain lists beside connections, so that tool calls are asked for without a page around them.
  schema: { defaultBehavior: "+list" },
  grafast: { explain: false },
  grafserv: { port, graphqlPath: "/graphql", graphiql: false, watch: false, outputDataAsString: true },
});

const server = createServer();
server.on("error", (error) => {
  console.error(error);
  process.exit(1);
});
await served.createServ(grafserv).addTo(server);
server.listen(port, "127.0.0.1");
