"""Calls to execute, and those who wait for what comes of them."""

from dataclasses import dataclass, field
from json import loads
from typing import Any
from uuid import UUID

from app.core.actor import Actor
from app.core.ids import new_id, parse_global_id
from app.db.database import Database
from app.db.scopes import UnitOfWork
from app.messages.values import MessageId
from app.tools import service
from app.tools.models import ToolExecution
from app.tools.values import NewToolExecution, ToolCallId, ToolExecutionId
from tests.client import GraphQLClient
from tests.conftest import execute
from tests.worlds import add_call, rows


@dataclass(frozen=True, slots=True)
class Waiting:
    """A room above that waits for executions: remembers what it was told, and may fail at it."""

    told: list[tuple[UUID, str, bool | None]] = field(default_factory=list)
    fails: bool = False

    async def decided_or_ended(self, uow: UnitOfWork, actor: Actor, execution: ToolExecution) -> None:
        """Called inside the transaction."""
        turn = await service.of_run_turn(uow, actor, MessageId(execution.message_id))
        assert execution.id in {found.id for found in turn}
        self.told.append((execution.id, execution.status, execution.approved))
        if self.fails:
            raise RuntimeError("a listener failed")


async def a_call(client: GraphQLClient, session: str | None = None, **input_: Any) -> str:
    """The id of a call in a message of its own."""
    session = session or await client.create_session()
    message = (await client.reply(session, "", callsTools=True))["message"]["id"]
    return await add_call(client, message, **input_)


def new_execution(call: str, **given: Any) -> NewToolExecution:
    """An execution that is about to be added to a call."""
    return NewToolExecution(ToolExecutionId(new_id()), ToolCallId(parse_global_id(call, "ToolCall")), **given)


async def requested(database: Database, actor: Actor, call: str, **given: Any) -> ToolExecution:
    """An execution that was added to a call in a transaction of somebody else."""
    new = new_execution(call, **given)
    return await database.transact(lambda uow: service.request(uow, actor, new))


async def expired_by_now(dsn: str) -> None:
    """Have the time for all that awaits approval be over."""
    await execute(dsn, "UPDATE tool_executions SET approval_expires_at = created_at - interval '1 second'")


async def fact(dsn: str, columns: str) -> list[dict[str, Any]]:
    """Columns of all executions, in the order they were added."""
    return await rows(dsn, f"SELECT {columns} FROM tool_executions ORDER BY created_at, id")


async def events_of(dsn: str, kind: str) -> list[dict[str, Any]]:
    """The payloads of the events of a kind, without ids, in their order."""
    found = await rows(dsn, "SELECT payload FROM events WHERE kind = $1 ORDER BY at, seq", kind)
    return [{name: value for name, value in loads(row["payload"]).items() if not name.endswith("Id")} for row in found]
