"""An answer from the question to its end."""

from contextlib import aclosing

from app.core.actor import Actor
from app.runs.following import Delta, Ended, Snapshot, Told
from app.runs.values import Asked, RunId, Wanted
from tests.runs.conftest import Process


async def followed(process: Process, actor: Actor, run_id: RunId, after: int | None = None) -> list[Told]:
    """All that a subscriber is told."""
    async with aclosing(process.completions.follow(actor, run_id, after)) as events:
        return [event async for event in events]


async def test_a_question_is_answered_and_the_answer_stored(process: Process, actor: Actor) -> None:
    outcome = await process.runs.send(process.database, actor, Asked(None, "hello there", Wanted("local:echo")), None)

    told = await followed(process, actor, RunId(outcome.run.id))

    assert isinstance(told[0], Snapshot)
    assert isinstance(told[-1], Ended)
    text = told[0].text + "".join(event.text for event in told if isinstance(event, Delta))
    assert told[-1].run.status == "completed"
    assert "hello there" in text
