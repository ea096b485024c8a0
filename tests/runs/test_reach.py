"""What is read of a long conversation in order to ask a model: what may fit, and no more."""

from typing import Any

import pytest

from app.core.actor import Actor
from app.core.ids import new_id
from app.db.database import Database
from app.graph.loading import Loaders
from app.llm.port import Speaker
from app.llm.window import ContextWindows
from app.messages.pipeline import MessagePipeline
from app.messages.values import Draft, MessageId, MessageRole
from app.runs import service
from app.runs.conversation import NO_RESULT, Question, load_question
from app.runs.models import Run
from app.runs.pipeline import RunPipeline
from app.runs.values import Asked, Terms, Wanted
from app.sessions.values import SessionId
from app.tools import service as tools
from app.tools.values import NewToolCall, ToolCallId
from tests.branches.trees import chain, plant
from tests.conftest import an_actor
from tests.conversations import new_session, rows
from tests.fakes import StatementRecorder

WINDOWS = ContextWindows({"local:echo": 700}, reserve=0)
FULL = 700 // 6
"""Messages of so few words that fill the window, nearly."""


async def asked_in(runs: RunPipeline, database: Database, actor: Actor, session_id: SessionId) -> Run:
    """A run that answers a question at the end of a session."""
    asked = Asked(session_id, "And now?", Wanted("local:echo"))
    return (await runs.send(database, actor, asked, None)).run


async def loaded(database: Database, actor: Actor, run: Run, windows: ContextWindows = WINDOWS) -> Question:
    async with database.read() as scope:
        return await load_question(scope, Loaders(database, actor), run, Terms(), windows)


@pytest.mark.parametrize("length", [300, 5_000])
async def test_only_what_may_fit_is_read_in_two_statements(
    database: Database, statements: StatementRecorder, runs: RunPipeline, actor: Actor, session_id: SessionId,
    dsn: str, length: int,
) -> None:  # fmt: skip
    ids = await plant(dsn, actor, session_id, chain(length))
    for place in (0, 99):
        await rows(dsn, "UPDATE chat_messages SET role = 'system', content = 'Be brief.' WHERE id = $1", ids[place])
    run = await asked_in(runs, database, actor, session_id)
    statements.clear()

    question = await loaded(database, actor, run)

    seen = question.view.conversation
    assert [part.text for part in seen[:2]] == ["Be brief.", "Be brief."]
    assert [part.text for part in seen[2:]] == [
        *(f"message {number}" for number in range(length + 4 - len(seen), length + 1)), "And now?"
    ]  # fmt: skip
    use = question.view.use
    assert (use.messages, use.left_out_messages) == (len(seen), length + 1 - len(seen))
    assert FULL * 0.8 < len(seen) <= FULL
    # Without their texts all; with them those that may fit: a word may be a token of three bytes, or of sixteen.
    assert statements.rows[0] == length + 1
    assert len(statements.sent) == 2
    assert len(seen) <= statements.rows[1] < 2 * FULL


async def test_texts_that_are_too_long_to_fit_are_not_read(
    database: Database, statements: StatementRecorder, runs: RunPipeline, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    ids = await plant(dsn, actor, session_id, chain(2_000))
    await rows(dsn, "UPDATE chat_messages SET content = repeat('word ', 100000) WHERE id = $1", ids[1_996])
    run = await asked_in(runs, database, actor, session_id)
    statements.clear()

    question = await loaded(database, actor, run)

    assert [part.text for part in question.view.conversation] == ["message 1999", "message 2000", "And now?"]
    assert statements.rows == [2_001, 3]
    assert question.view.use.left_out_messages == 1_998
    assert question.view.use.left_out_tokens > 125_000


async def test_messages_that_call_tools_cost_one_statement_more(
    database: Database, statements: StatementRecorder, runs: RunPipeline, pipeline: MessagePipeline, actor: Actor,
    session_id: SessionId, dsn: str,
) -> None:  # fmt: skip
    await plant(dsn, actor, session_id, chain(1_001))
    for answered in (True, False, True):
        calling = await _calling(database, pipeline, actor, session_id)
        if answered:
            await _append(database, pipeline, actor, session_id, MessageRole.TOOL, "sunny", tool_call_id=calling)
    run = await asked_in(runs, database, actor, session_id)
    statements.clear()

    question = await loaded(database, actor, run)

    assert len(statements.sent) == 3
    told = [(part.speaker, part.text) for part in question.view.conversation[-7:]]
    assert told == [
        (Speaker.ASSISTANT, "I look."), (Speaker.TOOL, "sunny"), (Speaker.ASSISTANT, "I look."),
        (Speaker.TOOL, NO_RESULT), (Speaker.ASSISTANT, "I look."), (Speaker.TOOL, "sunny"), (Speaker.USER, "And now?"),
    ]  # fmt: skip


async def test_a_message_in_another_tenant_is_on_no_path(
    database: Database, runs: RunPipeline, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    await plant(dsn, actor, session_id, chain(4))
    stranger = an_actor("alice", "acme")
    await plant(dsn, stranger, await new_session(database, stranger), chain(4))
    run = await asked_in(runs, database, actor, session_id)

    assert len((await loaded(database, actor, run)).view.conversation) == 5
    assert (await loaded(database, stranger, run)).view.conversation == ()


async def test_question_that_was_deleted_meanwhile_leaves_what_came_before_it(
    database: Database, runs: RunPipeline, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    await plant(dsn, actor, session_id, chain(1_000))
    run = await asked_in(runs, database, actor, session_id)
    gone = "UPDATE chat_messages SET content = '', deleted_at = now() WHERE id = $1"
    await rows(dsn, gone, run.prompt_message_id)

    question = await loaded(database, service.owner_of(run), run)

    assert [part.text for part in question.view.conversation[-2:]] == ["message 999", "message 1000"]
    assert question.refused is None


async def _calling(database: Database, pipeline: MessagePipeline, actor: Actor, session_id: SessionId) -> str:
    """The id of a call of a new answer."""
    message_id = await _append(database, pipeline, actor, session_id, MessageRole.ASSISTANT, "I look.")
    new = NewToolCall(ToolCallId(new_id()), message_id, "weather", "{}")
    async with database.single_statement() as uow:
        return str((await tools.add(uow, actor, new, None)).tool_call.id)


async def _append(
    database: Database, pipeline: MessagePipeline, actor: Actor, session_id: SessionId, role: MessageRole, text: str,
    **more: Any,
) -> MessageId:  # fmt: skip
    draft = Draft(session_id, role, text, **more)
    return MessageId((await pipeline.persist(database, actor, draft, None)).message.id)
