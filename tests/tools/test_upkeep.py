"""Approvals that nobody gives or denies in time."""

from uuid import uuid4

from app.core.actor import Actor
from app.db.database import Database
from app.db.scopes import UnitOfWork
from app.tools import upkeep
from app.tools.models import ToolExecution
from app.tools.pipeline import ToolPipeline
from tests.client import GraphQLClient
from tests.conftest import an_actor
from tests.tools.scenes import Waiting, a_call, events_of, expired_by_now, fact, requested
from tests.worlds import ClientAs, rows, stored

EXPIRED = {"status": "cancelled", "error": "approval expired", "approved": None, "approved_by": None}


class Stubborn(Waiting):
    """Fails at the first that it is told of."""

    async def decided_or_ended(self, uow: UnitOfWork, actor: Actor, execution: ToolExecution) -> None:
        """Called inside the transaction."""
        await super().decided_or_ended(uow, actor, execution)
        if len(self.told) == 1:
            raise RuntimeError("a run cannot go on")


async def test_what_nobody_decided_in_time_is_cancelled_for_everybody_alike(
    database: Database, actor: Actor, client: GraphQLClient, client_as: ClientAs, dsn: str
) -> None:
    stranger, waiting = an_actor("bob", "acme"), Waiting()
    tools = ToolPipeline((waiting,))
    mine = await requested(database, actor, await a_call(client), required_approval=True, run_id=uuid4())
    call = await a_call(await client_as("bob@acme"))
    theirs = await requested(database, stranger, call, required_approval=True, run_id=uuid4())
    before = await stored(dsn)

    await upkeep.expire(database, tools)
    early = await stored(dsn)
    await expired_by_now(dsn)
    await upkeep.expire(database, tools)
    after = await stored(dsn)
    await upkeep.expire(database, tools)

    assert early == before
    assert await fact(dsn, "status, error, approved, approved_by") == [EXPIRED] * 2
    assert waiting.told == [(mine.id, "cancelled", None), (theirs.id, "cancelled", None)]
    assert await events_of(dsn, "tool_execution.expired") == [{"status": "CANCELLED"}] * 2
    assert (
        await rows(dsn, "SELECT success, error FROM tool_calls")
        == [{"success": False, "error": "approval expired"}] * 2
    )
    assert await stored(dsn) == after


async def test_one_whose_run_cannot_go_on_keeps_no_other_waiting(
    database: Database, actor: Actor, client: GraphQLClient, dsn: str
) -> None:
    stubborn = Stubborn()
    for _ in range(3):
        await requested(database, actor, await a_call(client), required_approval=True, run_id=uuid4())
    await expired_by_now(dsn)

    await upkeep.expire(database, ToolPipeline((stubborn,)))
    left = [row["status"] for row in await fact(dsn, "status")]
    await upkeep.expire(database, ToolPipeline((stubborn,)))

    assert sorted(left) == ["awaiting_approval", "cancelled", "cancelled"]
    assert await fact(dsn, "status, error, approved, approved_by") == [EXPIRED] * 3
