"""What a fault of the server leaves in the log: enough to find it, nothing of what people wrote (S3-17)."""

import traceback
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.container import LoggedStatements, build_services
from app.core.settings import Settings
from app.db.database import Database, PoolSettings
from tests.client import GraphQLClient, client_of
from tests.conftest import execute

SECRET = "the-launch-code-is-0451"

SAY = """mutation ($input: PersistUserMessageInput!) {
  persistUserMessage(input: $input) { success } }"""


@pytest.fixture
async def strict(dsn: str, client: GraphQLClient) -> GraphQLClient:
    """A client whose database refuses what the server lets through, as if by a fault of ours."""
    await execute(dsn, "ALTER TABLE chat_messages ADD CONSTRAINT no_codes CHECK (content NOT LIKE '%-code-%')")
    return client


def written(lines: list[Any]) -> str:
    """Everything in log lines, the stacks too."""
    stacks = [traceback.format_exception(line["exc_info"]) for line in lines if "exc_info" in line]
    return "".join(
        [repr([{**line, "exc_info": None} for line in lines]), *(part for stack in stacks for part in stack)]
    )


async def test_a_refused_row_is_masked_and_its_text_is_not_logged(strict: GraphQLClient) -> None:
    session = await strict.create_session()

    with capture_logs() as lines:
        response = await strict.post(SAY, {"input": {"sessionId": session, "content": f"{SECRET} {'x' * 50}"}})

    [error] = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert SECRET not in response.text
    [failed] = [line for line in lines if line["event"] == "resolver_failed"]
    assert failed["correlation_id"] == error["extensions"]["correlationId"]
    assert SECRET not in written(lines)
    assert "no_codes" in written(lines)


async def test_a_statement_log_tells_no_values(dsn: str) -> None:
    database = await Database.connect(dsn, PoolSettings(), LoggedStatements())

    with capture_logs() as lines:
        async with client_of(database, build_services(Settings()), "alice") as client:
            session = await client.create_session(title=SECRET)
            await client.say(session, SECRET, metadata={SECRET: SECRET})
    await database.close()

    assert [line["event"] for line in lines if "sql" in line] == ["statement"] * 2
    assert SECRET not in written(lines)
