"""Prompts to execute, and what the database holds of it."""

from typing import Any

from app.core.ids import split_global_id
from tests.client import GraphQLClient
from tests.prompts.scenes import a_template
from tests.worlds import rows

ECHO = "local:echo"

SELECTION = """promptExecution {
    id status label chosenVersion variables contextFileId correlationId cost durationMs createdAt finishedAt
    template { id } templateVersion { id version content } session { id } run { id } userMessage { id content }
    message { id content status } usage { total } error { code }
} session { id title } userMessage { id content sequenceNumber } message { id content status sequenceNumber }
run { id status model waiting } correlationId"""

GREETING = "Say hello to {{name}} in {{language}}."
VARIABLES = [{"name": "name"}, {"name": "language", "default": "English"}]


async def greeting(client: GraphQLClient, name: str = "greeting", **input_: Any) -> str:
    """The id of a template that greets somebody; it takes name and language."""
    return await a_template(client, name, GREETING, **{"variables": VARIABLES, **input_})


async def execute(client: GraphQLClient, **input_: Any) -> dict[str, Any]:
    """The payload of executePrompt, by default answered by an echo."""
    return await client.mutate("executePrompt", SELECTION, {"model": ECHO, **input_})


async def executed(client: GraphQLClient, **input_: Any) -> dict[str, Any]:
    """The payload of one that was taken on."""
    payload = await execute(client, **input_)
    assert payload["success"], payload
    return payload


def key_of(global_id: str) -> str:
    """The UUID in a global id."""
    return split_global_id(global_id)[1]


async def stored_executions(dsn: str) -> list[dict[str, Any]]:
    """The rows of executions, in their order."""
    return await rows(dsn, "SELECT * FROM prompt_executions ORDER BY created_at, id")


async def amounts(dsn: str) -> dict[str, int]:
    """How many rows there are of all that one execution is made of."""
    tables = ("chat_sessions", "chat_messages", "runs", "prompt_executions", "pgqueuer", "events", "client_keys")
    counted = ", ".join(f"(SELECT count(*) FROM {table}) AS {table}" for table in tables)
    [found] = await rows(dsn, f"SELECT {counted}")
    return found
