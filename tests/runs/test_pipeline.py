"""Asking for an answer."""

import math
from typing import Any

import pytest

from app.core.actor import Actor
from app.core.errors import AppError, ErrorCode, ValidationError
from app.db.database import Database
from app.idempotency.errors import KeyReused
from app.llm.errors import ProviderNotConfigured
from app.messages.errors import MessageNotFound
from app.messages.values import ContextItems, MessageId
from app.runs.errors import RunNotFound
from app.runs.models import Run
from app.runs.pipeline import RunPipeline
from app.runs.values import LONGEST_AUTOMATIC_TITLE, Asked, OnBusy, RunId, Wanted
from app.sessions.errors import SessionNotFound
from app.sessions.values import SessionId
from tests.conftest import an_actor
from tests.conversations import rows
from tests.llm.provider_servers import ProviderServer, openai_answer
from tests.runs.conftest import Process
from tests.runs.scenes import (
    ECHO,
    a_key,
    ask,
    contents,
    end_of,
    heard_by,
    message_of,
)


async def session_of(dsn: str, run: Run) -> dict[str, Any]:
    """The session's row."""
    [found] = await rows(dsn, "SELECT * FROM chat_sessions WHERE id = $1", run.session_id)
    return dict(found)


async def test_first_message_starts_a_session(asking: Process, server: ProviderServer, actor: Actor, dsn: str) -> None:
    server.script(openai_answer("There it is"))

    run = await ask(asking, actor, None, "  Where is\n the station?  ")
    await end_of(asking, actor, run)
    session = await session_of(dsn, run)
    again = await ask(asking, actor, SessionId(run.session_id), "And now?", wanted=Wanted())

    assert session["title"] == "Where is the station?"
    assert (session["provider"], session["model"]) == ("compatible", "scripted")
    assert again.model == "compatible:scripted"
    assert (await message_of(dsn, run))["content"] == "There it is"


async def test_title_of_a_long_message_is_cut(runs: RunPipeline, database: Database, actor: Actor, dsn: str) -> None:
    asked = Asked(None, "word " * 100)

    run = (await runs.send(database, actor, asked, None)).run

    title = (await session_of(dsn, run))["title"]
    assert len(title) <= LONGEST_AUTOMATIC_TITLE
    assert title.startswith("word word")
    assert title.endswith("word…")


async def test_default_model_answers_where_none_is_asked_for(
    runs: RunPipeline, database: Database, actor: Actor, session_id: SessionId
) -> None:
    in_session = (await runs.send(database, actor, Asked(session_id, "hello"), None)).run
    in_new_one = (await runs.send(database, actor, Asked(None, "hello"), None)).run

    assert (in_session.model, in_new_one.model) == ("local:extractive", "local:extractive")


@pytest.mark.parametrize(
    ("wanted", "code", "field"),
    [
        (Wanted("nobody:model"), ErrorCode.PROVIDER_NOT_CONFIGURED, None),
        (Wanted("openai:gpt-5.5"), ErrorCode.PROVIDER_NOT_CONFIGURED, None),
        (Wanted("local:unknown"), ErrorCode.VALIDATION_ERROR, "model"),
        (Wanted("no colon"), ErrorCode.VALIDATION_ERROR, "model"),
        (Wanted(""), ErrorCode.VALIDATION_ERROR, "model"),
        (Wanted(temperature=-0.001), ErrorCode.VALIDATION_ERROR, "temperature"),
        (Wanted(temperature=2.001), ErrorCode.VALIDATION_ERROR, "temperature"),
        (Wanted(temperature=math.nan), ErrorCode.VALIDATION_ERROR, "temperature"),
        (Wanted(temperature=math.inf), ErrorCode.VALIDATION_ERROR, "temperature"),
        (Wanted(max_output_tokens=0), ErrorCode.VALIDATION_ERROR, "maxOutputTokens"),
        (Wanted(max_output_tokens=2**31), ErrorCode.VALIDATION_ERROR, "maxOutputTokens"),
    ],
)
@pytest.mark.parametrize("in_session", [True, False])
async def test_what_cannot_be_asked_is_refused_and_nothing_is_stored(
    runs: RunPipeline, database: Database, actor: Actor, session_id: SessionId, dsn: str,
    wanted: Wanted, code: ErrorCode, field: str | None, in_session: bool,
) -> None:  # fmt: skip
    before = await contents(dsn)

    with pytest.raises(AppError) as refused:
        await runs.send(database, actor, Asked(session_id if in_session else None, "hello", wanted), a_key())

    assert (refused.value.code, refused.value.field) == (code, field)
    assert await contents(dsn) == before


@pytest.mark.parametrize("temperature", [0.0, 2.0])
async def test_temperature_goes_to_the_model(
    asking: Process, server: ProviderServer, actor: Actor, dsn: str, temperature: float
) -> None:
    server.script(openai_answer("Warm"))

    run = await ask(asking, actor, wanted=Wanted("compatible:scripted", temperature, max_output_tokens=7))
    end = await end_of(asking, actor, run)

    assert server.requests[0].body["temperature"] == temperature
    assert 7 in (server.requests[0].body.get("max_tokens"), server.requests[0].body.get("max_completion_tokens"))
    assert end.temperature == temperature
    assert (await message_of(dsn, run))["temperature"] == temperature


async def test_context_items_reach_the_model(asking: Process, server: ProviderServer, actor: Actor, dsn: str) -> None:
    server.script(openai_answer("I see"))
    items = ContextItems(document_chunks=[{"text": "platform nine"}])

    run = await ask(asking, actor, content="Which platform?", context_items=items, metadata={"from": "test"})
    await end_of(asking, actor, run)

    [(role, said)] = heard_by(server)
    assert role == "user"
    assert said == '<context kind="documentChunks">\n{"text":"platform nine"}\n</context>\n\nWhich platform?'
    [question] = await rows(dsn, "SELECT * FROM chat_messages WHERE id = $1", run.prompt_message_id)
    assert question["custom_metadata"] == '{"from": "test"}'


async def test_message_may_answer_an_earlier_one(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId
) -> None:
    server.script(openai_answer("first answer"), openai_answer("second answer"), openai_answer("third answer"))
    first = await ask(asking, actor, session_id, "first question")
    await end_of(asking, actor, first)
    await end_of(asking, actor, await ask(asking, actor, session_id, "second question"))

    third = await ask(asking, actor, session_id, "third question", parent_message_id=MessageId(first.message_id))
    await end_of(asking, actor, third)

    assert heard_by(server) == [("user", "first question"), ("assistant", "first answer"), ("user", "third question")]


async def test_message_of_another_session_is_no_parent(
    runs: RunPipeline, database: Database, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    elsewhere = (await runs.send(database, actor, Asked(None, "hello"), None)).run
    before = await contents(dsn)
    asked = Asked(session_id, "hello", parent_message_id=MessageId(elsewhere.message_id))

    with pytest.raises(ValidationError) as refused:
        await runs.send(database, actor, asked, None)

    assert refused.value.field == "parentMessageId"
    assert await contents(dsn) == before


async def test_what_is_anothers_is_not_there(
    runs: RunPipeline, database: Database, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    run = (await runs.send(database, actor, Asked(session_id, "hello"), None)).run
    before = await contents(dsn)

    for other in (an_actor("bob"), an_actor("alice", "acme"), an_actor("system")):
        with pytest.raises(SessionNotFound):
            await runs.send(database, other, Asked(session_id, "hello"), None)
        with pytest.raises(MessageNotFound):
            await runs.regenerate(database, other, MessageId(run.message_id), Wanted(), OnBusy.REJECT, None)
        with pytest.raises(RunNotFound):
            await runs.cancel(database, other, RunId(run.id), None)
        with pytest.raises(RunNotFound):
            await runs.retry(database, other, RunId(run.id), None)

    assert await contents(dsn) == before


async def test_message_that_is_sent_twice_under_one_key_is_answered_once(
    process: Process, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    asked = Asked(session_id, "hello", ECHO)
    first = await process.runs.send(process.database, actor, asked, a_key())
    await end_of(process, actor, first.run)
    before = await contents(dsn)

    second = await process.runs.send(process.database, actor, asked, a_key())
    with pytest.raises(KeyReused):
        await process.runs.send(process.database, actor, asked, a_key("another"))

    assert (first.deduplicated, second.deduplicated) == (False, True)
    assert (second.run.id, second.run.status) == (first.run.id, "completed")
    assert await contents(dsn) == before


async def test_refused_request_leaves_its_key_unused(
    runs: RunPipeline, database: Database, actor: Actor, session_id: SessionId
) -> None:
    with pytest.raises(ProviderNotConfigured):
        await runs.send(database, actor, Asked(session_id, "hello", Wanted("nobody:model")), a_key())

    outcome = await runs.send(database, actor, Asked(session_id, "hello"), a_key("another"))

    assert not outcome.deduplicated


@pytest.mark.parametrize("name", ["", "echo", "local:", ":echo", "local:nobody"])
async def test_a_model_that_is_no_model_is_refused_by_its_field(
    process: Process, actor: Actor, dsn: str, name: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        await process.runs.send(process.database, actor, Asked(None, "hello", Wanted(name)), None)

    assert refused.value.field == "model"
    assert "provider:model" in str(refused.value) or "local:" in str(refused.value)
    assert await rows(dsn, "SELECT id FROM chat_sessions") == []
