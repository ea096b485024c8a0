"""Executions that the server runs: at least once, once told, whatever the tool does and whoever dies."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from app.core.actor import Actor
from app.db.database import Database
from app.db.errors import DatabaseUnavailable
from app.jobs.values import GiveBack
from app.toolbox.runner import ToolRunner
from app.toolbox.service import Toolbox
from app.tools.models import ToolExecution
from app.tools.pipeline import ToolPipeline
from tests.client import GraphQLClient
from tests.conversations import rows
from tests.tools.scenes import Waiting, a_call, requested

RUN = "00000000-0000-7000-8000-000000000001"


@dataclass
class Doing:
    """A tool that does what it is told, and counts."""

    does: Any = "done"
    runs: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    name: str = "search"
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    async def run(self, database: Database, actor: Actor, arguments: Mapping[str, Any]) -> str:
        self.runs += 1
        self.begun.set()
        if isinstance(self.does, Exception):
            raise self.does
        if self.does is None:
            await asyncio.Event().wait()
        return str(self.does)


async def ended(dsn: str, execution: ToolExecution) -> tuple[str, str | None, str | None]:
    [row] = await rows(dsn, "SELECT status, output, error FROM tool_executions WHERE id = $1", execution.id)
    return row["status"], row["output"], row["error"]


def job_of(execution: ToolExecution) -> bytes:
    return orjson.dumps([execution.tenant_id, execution.user_id, str(execution.id)])


def runner_of(database: Database, tool: Doing, waiting: Waiting, seconds: float = 20) -> ToolRunner:
    return ToolRunner(database, ToolPipeline((waiting,)), Toolbox.of(tool), seconds)


@pytest.mark.parametrize(
    ("does", "outcome"),
    [
        ("an answer\x00", ("completed", "an answer", None)),
        ("", ("completed", "", None)),
        (KeyError("secret"), ("failed", None, "INTERNAL_SERVER_ERROR: something went wrong in the tool")),
    ],
)
async def test_what_a_tool_does_is_the_outcome_of_its_execution(
    client: GraphQLClient, database: Database, actor: Actor, dsn: str, does: Any, outcome: object
) -> None:
    execution = await requested(database, actor, await a_call(client), run_id=RUN)
    waiting = Waiting()

    await runner_of(database, Doing(does), waiting).work(job_of(execution))

    assert await ended(dsn, execution) == outcome
    assert [(told, status) for told, status, _ in waiting.told] == [(execution.id, outcome[0])]


async def test_tool_that_takes_too_long_has_failed(
    client: GraphQLClient, database: Database, actor: Actor, dsn: str
) -> None:
    execution = await requested(database, actor, await a_call(client))

    await runner_of(database, Doing(None), Waiting(), seconds=0.01).work(job_of(execution))

    status, _, error = await ended(dsn, execution)
    assert (status, error) == ("failed", "the tool took longer than 0 seconds")


async def test_execution_whose_process_died_is_run_again_and_told_once(
    client: GraphQLClient, database: Database, actor: Actor, dsn: str
) -> None:
    execution = await requested(database, actor, await a_call(client), run_id=RUN)
    waiting, hanging, tool = Waiting(), Doing(None), Doing("done")
    died = asyncio.create_task(runner_of(database, hanging, waiting).work(job_of(execution)))
    await hanging.begun.wait()
    died.cancel()
    await asyncio.wait([died])
    begun = (await ended(dsn, execution))[0]

    for _ in range(2):
        await runner_of(database, tool, waiting).work(job_of(execution))

    assert (begun, tool.runs) == ("running", 1)
    assert await ended(dsn, execution) == ("completed", "done", None)
    assert [status for _, status, _ in waiting.told] == ["completed"]


async def test_job_is_given_back_while_the_database_is_away(
    client: GraphQLClient, database: Database, actor: Actor, dsn: str
) -> None:
    execution = await requested(database, actor, await a_call(client))

    with pytest.raises(GiveBack):
        await runner_of(database, Doing(DatabaseUnavailable()), Waiting()).work(job_of(execution))

    assert (await ended(dsn, execution))[0] == "running"


async def test_tool_that_is_gone_and_an_execution_that_is_gone_are_no_trouble(
    client: GraphQLClient, database: Database, actor: Actor, dsn: str
) -> None:
    execution = await requested(database, actor, await a_call(client))

    await ToolRunner(database, ToolPipeline(), Toolbox.of()).work(job_of(execution))
    await ToolRunner(database, ToolPipeline(), Toolbox.of()).work(orjson.dumps([actor.tenant_id, "alice", RUN]))

    assert await ended(dsn, execution) == ("failed", None, "this server has no such tool any more")
