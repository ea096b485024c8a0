"""Answers asked for over the API of a real server, and what the database holds of them."""

from dataclasses import dataclass
from typing import Any

from app.core.ids import split_global_id
from tests.client import GraphQLClient
from tests.conversations import eventually, rows, value

SCRIPTED = "compatible:scripted"
"""The model of a server that speaks OpenAI's chat completions: of a ProviderServer."""

RUN = """query ($id: ID!) { run(id: $id) { status attempts error { code retryable } message { content status } } }"""

SELECTION = "run { id status } session { id } message { id }"


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer that was asked for."""

    run_id: str
    session_id: str
    message_id: str


async def ask(client: GraphQLClient, content: str, model: str = "local:echo", **input_: Any) -> Asked:
    """Send a message; by default its answer repeats it."""
    payload = await client.mutate("sendMessage", SELECTION, {"content": content, "model": model, **input_})
    assert payload["success"], payload
    return Asked(payload["run"]["id"], payload["session"]["id"], payload["message"]["id"])


async def retried(client: GraphQLClient, run_id: str) -> str:
    """The id of the run that tries another again."""
    payload = await client.mutate("retryRun", "run { id }", {"runId": run_id})
    assert payload["success"], payload
    return str(payload["run"]["id"])


async def run_of(client: GraphQLClient, run_id: str) -> dict[str, Any]:
    """A run with its message, as the API shows it."""
    found: dict[str, Any] = (await client.data(RUN, {"id": run_id}))["run"]
    return found


_UNDER_WAY = """
SELECT (SELECT count(*) FROM runs WHERE status IN ('queued', 'running'))
     + (SELECT count(*) FROM chat_messages WHERE status IN ('pending', 'processing'))
     + (SELECT count(*) FROM pgqueuer)
"""


async def nothing_under_way(dsn: str) -> None:
    """Return when no run and no message is unfinished, and no job is left."""
    await eventually(lambda: value(dsn, _UNDER_WAY), 0)


async def rows_of(dsn: str, asked: Asked) -> list[list[Any]]:
    """All that is stored of an answer: its run, its message, its log and its entries in the ledger."""
    run_id = split_global_id(asked.run_id)[1]
    statements = [
        "SELECT * FROM runs WHERE id = $1",
        "SELECT * FROM chat_messages WHERE id = (SELECT message_id FROM runs WHERE id = $1)",
        "SELECT * FROM run_events WHERE run_id = $1 ORDER BY seq",
        "SELECT * FROM usage_ledger WHERE run_id = $1",
    ]
    return [[dict(row) for row in await rows(dsn, statement, run_id)] for statement in statements]


_INCONSISTENT = {
    "a run that has ended without a last line of its own": """
        SELECT count(*) FROM runs AS r WHERE (SELECT count(*) FROM run_events AS e WHERE e.run_id = r.id
        AND e.kind = r.status AND e.seq = r.last_seq) <> 1""",
    "a log with a gap": """
        SELECT count(*) FROM (SELECT seq, row_number() OVER (PARTITION BY run_id ORDER BY seq) AS place FROM run_events)
        AS lines WHERE seq <> place""",
    "a message that is not the pieces of its run": """
        SELECT count(*) FROM runs AS r JOIN chat_messages AS m ON m.id = r.message_id WHERE m.content <>
        (SELECT coalesce(string_agg(e.payload->>'text', '' ORDER BY e.seq), '') FROM run_events AS e
        WHERE e.run_id = r.id AND e.kind = 'delta' AND e.seq > r.turn_seq)""",
    "a run that was worked without one entry in the ledger": """
        SELECT count(*) FROM runs AS r WHERE r.generation > 0
        AND (SELECT count(*) FROM usage_ledger AS u WHERE u.run_id = r.id) <> 1""",
    "a run whose end was told otherwise than once": """
        SELECT count(*) FROM runs AS r WHERE (SELECT count(*) FROM events AS e WHERE e.stream_id = r.session_id
        AND e.kind = 'run.' || r.status) <> (SELECT count(*) FROM runs AS o WHERE o.session_id = r.session_id
        AND o.status = r.status)""",
}


async def inconsistent(dsn: str) -> list[str]:
    """What is wrong with the runs of a database in which nothing is under way."""
    return [rule for rule, statement in _INCONSISTENT.items() if await value(dsn, statement)]
