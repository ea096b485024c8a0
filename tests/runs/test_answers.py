"""An answer from the question to its end."""

from app.core.actor import Actor
from app.runs.following import Ended, Snapshot
from tests.runs.conftest import Process
from tests.runs.scenes import ECHO, ask, followed, text_of


async def test_a_question_is_answered_and_the_answer_stored(process: Process, actor: Actor) -> None:
    run = await ask(process, actor, content="hello there", wanted=ECHO)

    told = await followed(process, actor, run)

    assert isinstance(told[0], Snapshot)
    assert isinstance(told[-1], Ended)
    assert told[-1].run.status == "completed"
    assert "hello there" in text_of(told)
