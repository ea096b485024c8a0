"""Whatever is asked of a few sessions, in whatever order and however much at once: the rows agree."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.actor import Actor
from app.db.database import Database
from app.messages.pipeline import MessagePipeline
from app.messages.values import MessageId, MessageRole, MessageStatus
from tests.conversations import Kitchen, broken_rules, counters, new_session, recounted, say

SESSIONS = 2

ACTIONS: dict[str, Callable[[Kitchen, MessageId, int], Awaitable[None]]] = {
    "append": lambda kitchen, _, turn: kitchen.append(turn),
    "call a tool": lambda kitchen, message, _: kitchen.call_tool(message),
    "complete": lambda kitchen, message, _: kitchen.end(message, MessageStatus.COMPLETED),
    "fail": lambda kitchen, message, _: kitchen.end(message, MessageStatus.FAILED),
    "delete": lambda kitchen, message, _: kitchen.delete(message),
    "file": lambda kitchen, _, turn: kitchen.file(f"tag {turn}"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """Some actions at once; each on one session, and one of its two first messages."""

    actions: list[tuple[str, int, int]]


actions = st.tuples(st.sampled_from(sorted(ACTIONS)), st.integers(0, SESSIONS - 1), st.integers(0, 1))
programs = st.lists(st.builds(Step, st.lists(actions, min_size=1, max_size=12)), min_size=1, max_size=5)


# The example database and random seeds are left out: a failure is the same for everybody.
@settings(
    max_examples=30, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(program=programs)
async def test_counters_agree_with_rows_after_any_interleaving(
    database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str, program: list[Step]
) -> None:
    session_ids = [await new_session(database, actor) for _ in range(SESSIONS)]
    first = [
        [
            MessageId(
                (await say(database, pipeline, actor, session, "", MessageRole.ASSISTANT, MessageStatus.PENDING)).id
            )
            for _ in range(2)
        ]
        for session in session_ids
    ]
    kitchens = [Kitchen(database, pipeline, actor, session) for session in session_ids]

    for number, step in enumerate(program):
        await asyncio.gather(
            *(ACTIONS[name](kitchens[which], first[which][message], number) for name, which, message in step.actions)
        )

    for session in session_ids:
        assert await recounted(dsn, session) == await counters(dsn, session)
    assert await broken_rules(dsn) == []
