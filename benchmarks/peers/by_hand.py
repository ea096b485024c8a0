"""The limit: one statement for each question that makes the JSON in PostgreSQL, handed on over the same HTTP.

DATABASE_URL=… POOL_SIZE=… uvicorn benchmarks.peers.by_hand:app
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TypedDict
from uuid import UUID

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.conversations import ACTOR

_SESSION = """'id', s.id, 'title', s.title, 'description', s.description, 'status', s.status, 'agentId', s.agent_id,
  'model', s.model, 'provider', s.provider, 'createdAt', s.created_at, 'updatedAt', s.updated_at,
  'messageCount', s.last_sequence"""
_MESSAGE = """'id', m.id, 'sequenceNumber', m.sequence_number, 'role', m.role, 'status', m.status,
  'content', m.content, 'tokenCount', m.token_count, 'createdAt', m.created_at"""

# Messages are numbered without gaps: the least number tells whether there are earlier ones.
_PAGE_INFO = """'pageInfo', json_build_object(
  'hasPreviousPage', min(m.sequence_number) > 1, 'startCursor', min(m.sequence_number)::text)"""

STATEMENTS: Mapping[str, str] = {
    "page": f"""
SELECT json_build_object('data', json_build_object('sessions', json_build_object('nodes', json_agg(json_build_object(
  'id', s.id, 'title', s.title, 'status', s.status, 'updatedAt', s.updated_at, 'messageCount', s.last_sequence,
  'messages', (
    SELECT json_build_object('nodes', json_agg(json_build_object({_MESSAGE},
      'toolCalls', coalesce((
        SELECT json_agg(json_build_object(
          'id', c.id, 'position', c.position, 'name', c.name, 'arguments', c.arguments, 'result', c.result,
          'success', c.success, 'durationMs', c.duration_ms) ORDER BY c.position)
        FROM tool_calls AS c WHERE c.tenant_id = m.tenant_id AND c.message_id = m.id), '[]'::json)
    ) ORDER BY m.sequence_number), {_PAGE_INFO})
    FROM (SELECT * FROM chat_messages WHERE tenant_id = s.tenant_id AND session_id = s.id
          ORDER BY sequence_number DESC LIMIT 20) AS m)
) ORDER BY s.updated_at DESC, s.id DESC))))
FROM (SELECT * FROM chat_sessions WHERE tenant_id = $1 AND user_id = $2 AND project_id IS NULL
      ORDER BY updated_at DESC, id DESC LIMIT 20) AS s
""",
    "list": f"""
SELECT json_build_object('data', json_build_object('sessions', json_build_object(
  'nodes', json_agg(json_build_object({_SESSION}) ORDER BY s.updated_at DESC, s.id DESC) FILTER (WHERE s.place <= 50),
  'pageInfo', json_build_object('hasNextPage', count(*) > 50,
    'endCursor', max(s.id::text) FILTER (WHERE s.place = 50)))))
FROM (SELECT *, row_number() OVER (ORDER BY updated_at DESC, id DESC) AS place FROM chat_sessions
      WHERE tenant_id = $1 AND user_id = $2 AND project_id IS NULL ORDER BY updated_at DESC, id DESC LIMIT 51) AS s
""",
    "single": f"""
SELECT json_build_object('data', json_build_object('session', json_build_object({_SESSION}, 'messages', (
  SELECT json_build_object('nodes', json_agg(json_build_object({_MESSAGE}) ORDER BY m.sequence_number), {_PAGE_INFO})
  FROM (SELECT * FROM chat_messages WHERE tenant_id = s.tenant_id AND session_id = s.id
        ORDER BY sequence_number DESC LIMIT 100) AS m))))
FROM chat_sessions AS s WHERE s.tenant_id = $1 AND s.user_id = $2 AND s.id = $3
""",
}


class _State(TypedDict):
    pool: asyncpg.Pool


@asynccontextmanager
async def _pooled(_: Starlette) -> AsyncIterator[_State]:
    size = int(os.environ["POOL_SIZE"])
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=0, max_size=size) as pool:
        yield {"pool": pool}


async def _answer(request: Request) -> Response:
    asked = orjson.loads(await request.body())
    about = [UUID(session) for session in asked.get("variables", {}).values()]
    user = request.headers["x-colloquy-user"]
    said = await request.state.pool.fetchval(STATEMENTS[asked["query"]], ACTOR.tenant_id, user, *about)
    return Response(said.encode(), media_type="application/json")


app = Starlette(routes=[Route("/graphql", _answer, methods=["POST"])], lifespan=_pooled)
