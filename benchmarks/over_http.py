"""Append a message through GraphQL over HTTP, against the pipeline itself at the same concurrency."""

from statistics import median

import orjson

from benchmarks.conversations import SESSIONS, USER, empty_sessions, session_global_id, spoken
from benchmarks.load_client import Load, Task, put_load
from benchmarks.measure import Bench, Comparison, Side
from benchmarks.server import serving
from benchmarks.writers import appends_per_second, connected, production_pipeline

CLIENTS = 16
WANTED = "at least 0.5"

_MUTATION = """mutation Say($input: PersistUserMessageInput!) {
  persistUserMessage(input: $input) {
    success error { code message } message { id sequenceNumber createdAt }
  }
}"""


def _bodies() -> list[str]:
    return [
        orjson.dumps(
            {"query": _MUTATION, "variables": {"input": {"sessionId": session_global_id(number), "content": content}}}
        ).decode()
        for number in range(1, SESSIONS + 1)
        for content in spoken(16)
    ]


async def over_http(bench: Bench) -> list[Comparison]:
    """Sixteen clients in a process of their own, on connections that are kept; one server process."""
    pipeline, seconds = production_pipeline(), bench.effort.seconds
    loads: list[Load] = []
    async with (
        bench.cluster.database("over_http") as dsn,
        serving(dsn, bench.cluster.folder) as server,
        connected(dsn, CLIENTS) as database,
    ):
        task = Task(server.port, USER, _bodies(), '"success":true', CLIENTS, seconds)

        async def by_http() -> float:
            await empty_sessions(dsn)
            loads.append(await put_load(task))
            return loads[-1].per_second

        async def by_pipeline() -> float:
            await empty_sessions(dsn)
            return await appends_per_second(pipeline, database, writers=CLIENTS, seconds=seconds)

        found = await bench.compare(
            f"persistUserMessage, {CLIENTS} clients", Side("HTTP", by_http), Side("pipeline", by_pipeline), WANTED
        )
    found.notes.append(
        f"the client took {median(load.cpu for load in loads):.0%} of a core; "
        f"p50 {median(load.p50_ms for load in loads):.1f} ms, p99 {median(load.p99_ms for load in loads):.1f} ms"
    )
    return [found]
