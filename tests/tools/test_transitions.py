"""The table of transitions, and that the database keeps to it."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.actor import Actor
from app.db.database import Database
from app.tools.errors import AlreadyDecided, ExecutionTransition, StatusConflict
from app.tools.pipeline import ToolPipeline
from app.tools.values import ENDED, TRANSITIONS, WORKED, Decision, ExecutionStatus, ToolExecutionId, updatable_to
from tests.client import GraphQLClient
from tests.tools.scenes import a_call, fact, requested
from tests.worlds import rows

STATUSES = st.sampled_from(ExecutionStatus)

AWAITING = ExecutionStatus.AWAITING_APPROVAL
PENDING, RUNNING, CANCELLED = ExecutionStatus.PENDING, ExecutionStatus.RUNNING, ExecutionStatus.CANCELLED


def test_the_table_knows_every_status() -> None:
    """S1-15."""
    assert TRANSITIONS.keys() == set(ExecutionStatus)
    assert {ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, CANCELLED} == ENDED


def test_every_status_can_end_and_none_comes_back() -> None:
    for status in ExecutionStatus:
        after = {found for step in TRANSITIONS[status] for found in (step, *TRANSITIONS[step])}

        assert status in ENDED or after & ENDED
        assert status not in after
        assert AWAITING not in after


@given(before=STATUSES, after=STATUSES)
def test_an_update_is_a_transition_or_says_again_what_goes_on(before: ExecutionStatus, after: ExecutionStatus) -> None:
    allowed = before in updatable_to(after)

    assert allowed == (before in WORKED and (after in TRANSITIONS[before] or after is before))
    assert not (allowed and before in {AWAITING, *ENDED})


def test_without_a_status_what_is_worked_can_be_changed() -> None:
    assert updatable_to(None) == {PENDING, RUNNING}


Step = ExecutionStatus | bool
"""An update to a status, or a decision."""

STEPS: list[Step] = [*ExecutionStatus, True, False]


def after(status: ExecutionStatus, decided: bool | None, step: Step) -> tuple[ExecutionStatus, bool | None] | None:
    """What the table makes of a step: status and decision; None where it is refused."""
    if isinstance(step, bool):
        if decided is not None:
            return (status, decided) if decided == step else None
        return (PENDING if step else CANCELLED, step) if status is AWAITING else None
    allowed = status in WORKED and (step is status or step in TRANSITIONS[status])
    return (step, decided) if allowed else None


@pytest.mark.parametrize("first", [PENDING, RUNNING, AWAITING])
async def test_the_database_keeps_to_the_table_whatever_is_tried(
    database: Database, actor: Actor, client: GraphQLClient, dsn: str, first: ExecutionStatus
) -> None:
    """Every two steps after each beginning are done where the table allows them, and leave no trace elsewhere."""
    tools, session = ToolPipeline(), await client.create_session()
    beginning: dict[str, Any] = {"required_approval": True} if first is AWAITING else {"status": first}
    expected = []

    for steps in product(STEPS, repeat=2):
        execution = await requested(database, actor, await a_call(client, session), **beginning)
        status, decided = first, None
        for step in steps:
            wanted = after(status, decided, step)
            assert await taken(tools, database, actor, ToolExecutionId(execution.id), step) == (wanted is not None)
            status, decided = wanted or (status, decided)
        expected.append({"status": status, "approved": decided, "has_ended": status in ENDED})

    assert await fact(dsn, "status, approved, completed_at IS NOT NULL AS has_ended") == expected
    told = await rows(dsn, "SELECT executed_at IS NOT NULL AS told FROM tool_calls ORDER BY created_at, id")
    assert [row["told"] for row in told] == [row["has_ended"] for row in expected]


async def taken(tools: ToolPipeline, database: Database, actor: Actor, execution: ToolExecutionId, step: Step) -> bool:
    """Whether a step was done, or had been."""
    try:
        if isinstance(step, bool):
            await tools.decide(database, actor, Decision(execution, step), None)
        else:
            await tools.update(database, actor, execution, {"status": step}, None)
    except (AlreadyDecided, ExecutionTransition, StatusConflict):
        return False
    return True
