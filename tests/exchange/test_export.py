"""Sessions written to files, and what comes of such a file when it is imported."""

import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.actor import Actor
from app.core.ids import global_id
from app.db.database import Database
from app.exchange.export import exported, file_name
from app.exchange.formats.markdown import closed, fenced
from app.exchange.formats.names import ExportFormat, ImportFormat
from app.exchange.loaders import MESSAGES_AT_ONCE, SessionReading, sessions_of
from app.exchange.values import Stored
from app.messages import service as message_service
from app.messages.pipeline import MessagePipeline
from app.messages.values import Draft, Generation, MessageId, MessageRole, MessageStatus
from app.sessions import service as sessions
from app.sessions.errors import SessionNotFound
from app.sessions.values import NewMetadata, SessionId
from tests.client import GraphQLClient
from tests.conftest import an_actor, execute
from tests.exchange.exported import a_session, imported, say, written
from tests.fakes import StatementRecorder
from tests.worlds import ClientAs, rows

_ALL = """
SELECT s.title, s.description, s.status, s.agent_id, s.model, s.provider, s.created_at, s.updated_at, s.last_sequence,
       s.user_messages, s.assistant_messages, s.system_messages, s.tool_messages, s.tool_calls AS calls_in_all,
       s.total_tokens_used, s.total_duration_ms, d.tags, d.custom_data::text, d.summary,
       (SELECT l.sequence_number FROM chat_messages l WHERE l.id = s.active_leaf_id) AS leaf,
       m.sequence_number, p.sequence_number AS parent, m.role, m.status AS said, m.content, m.token_count,
       m.token_count_estimated, m.tool_call_id, m.error_code, m.error_message, m.intent_name, m.intent_confidence,
       m.intent_keywords, m.model AS said_by, m.temperature, m.generation_source, m.processing_time_ms,
       m.context::text, m.streaming::text, m.pipeline_facts::text, m.custom_metadata::text, m.created_at AS said_at,
       m.updated_at AS changed_at, m.deleted_at, m.tool_call_count,
       (SELECT json_agg(json_build_array(c.position, c.call_id, c.name, c.arguments, c.result, c.result_truncated,
               c.success, c.error, c.executed_at, c.duration_ms, c.created_at) ORDER BY c.position)::text
          FROM tool_calls c WHERE c.tenant_id = m.tenant_id AND c.message_id = m.id) AS calls
FROM chat_sessions s JOIN session_metadata d ON d.tenant_id = s.tenant_id AND d.session_id = s.id
LEFT JOIN chat_messages m ON m.tenant_id = s.tenant_id AND m.session_id = s.id
LEFT JOIN chat_messages p ON p.tenant_id = m.tenant_id AND p.id = m.parent_message_id
WHERE s.user_id = $1 ORDER BY m.sequence_number
"""
"""A user's session, save ids."""

OF_SESSIONS = [format_ for format_ in ExportFormat if format_ is not ExportFormat.PROMPTS]


_TEXT = st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=20)
_SAID = _TEXT.map("said {}".format)
_NAME = st.text(st.characters(exclude_characters="\x00", codec="utf-8"), min_size=1, max_size=8).filter(str.strip)
_FREE = st.dictionaries(_NAME, st.none() | st.booleans() | st.integers(-9, 9) | _TEXT | st.lists(_TEXT, max_size=2))
_CALLS = st.lists(
    st.fixed_dictionaries(
        {"name": _NAME, "arguments": _TEXT, "result": st.none() | _TEXT | st.just("x" * 8_001),
         "success": st.none() | st.booleans(), "error": st.none() | _TEXT, "duration_ms": st.none() | st.just(5)}
    ),
    max_size=2,
)  # fmt: skip


@st.composite
def _turns(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Messages of any tree, each with the place of the one it answers, and whether it was deleted."""
    turns = []
    for number in range(draw(st.integers(0, 10))):
        role = draw(st.sampled_from(list(MessageRole)))
        is_answer = role is MessageRole.ASSISTANT
        status = draw(st.sampled_from(list(MessageStatus))) if is_answer else MessageStatus.COMPLETED
        generation = Generation(
            model=draw(st.none() | _NAME), temperature=draw(st.none() | st.just(0.25)),
            processing_time_ms=draw(st.none() | st.integers(0, 99)), tokens_used=draw(st.none() | st.integers(0, 99)),
        )  # fmt: skip
        turns.append({
            "role": role, "content": draw(_SAID), "status": status, "metadata": draw(_FREE),
            "generation": generation if is_answer else Generation(),
            "parent": draw(st.none() | st.integers(0, number - 1)) if number else None,
            "calls": draw(_CALLS) if is_answer else [], "deleted": draw(st.integers(0, 5)) == 0,
            "tool_call_id": draw(st.none() | _NAME) if role is MessageRole.TOOL else None,
        })  # fmt: skip
    return turns


_numbers = itertools.count()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turns=_turns(), title=_NAME, tags=st.lists(_NAME, max_size=2), free=_FREE, leaf=st.none() | st.integers(0, 9))
async def test_what_is_exported_and_imported_is_the_same_tree(
    database: Database, pipeline: MessagePipeline, dsn: str, tmp_path: Path,
    turns: list[dict[str, Any]], title: str, tags: list[str], free: dict[str, Any], leaf: int | None,
) -> None:  # fmt: skip
    # Every example has users of its own.
    number = next(_numbers)
    actor = an_actor(f"from-{number}")
    session = await a_session(
        database, actor, title=title, description=title, metadata=NewMetadata(tuple(tags), free, title)
    )
    stored: list[MessageId] = []
    for turn in turns:
        parent = None if turn["parent"] is None else stored[turn["parent"]]
        named = ("role", "content", "status", "metadata", "generation", "tool_call_id")
        draft = Draft(session, parent_message_id=parent, **{name: turn[name] for name in named})
        stored.append(await say(database, pipeline, actor, draft, turn["calls"]))
    for turn, message in zip(turns, stored, strict=True):
        if turn["deleted"]:
            async with database.single_statement() as uow:
                await message_service.delete(uow, actor, message, None)
    if leaf is not None and leaf < len(stored):
        await execute(dsn, f"UPDATE chat_sessions SET active_leaf_id = '{stored[leaf]}' WHERE id = '{session}'")

    text = await written(database, actor, session, ExportFormat.JSONL)
    first = await imported(database, pipeline, tmp_path, text, f"to-{number}")
    second = await imported(database, pipeline, tmp_path, text, f"to-{number}")

    assert first.refusals == []
    assert (first.messages, first.conversations) == (Stored(len(turns)), Stored(1))
    assert (second.messages, second.conversations) == (Stored(0, len(turns)), Stored(0, 1))
    before, after = [await rows(dsn, _ALL, f"{side}-{number}") for side in ("from", "to")]
    for row in (*before, *after):
        # Deleting it was a change of the session; its calls were counted and are gone.
        for name in ("updated_at", "calls_in_all") if any(turn["deleted"] for turn in turns) else ():
            row.pop(name)
    assert after == before


async def test_the_openai_format_is_the_active_path_as_its_import_takes_it(
    database: Database, pipeline: MessagePipeline, actor: Actor, session: SessionId, tmp_path: Path
) -> None:
    text = await written(database, actor, session, ExportFormat.OPENAI)

    call = {"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": '{"to": "Lisbon"}'}}
    sung = {"id": "call_3_2", "type": "function", "function": {"name": "sing", "arguments": ""}}
    assert text.count(b"\n") == 1
    assert json.loads(text) == {
        "messages": [
            {"role": "user", "content": "When is the train?"},
            {"role": "assistant", "content": None, "name": "Ada", "tool_calls": [call, sung]},
            {"role": "tool", "tool_call_id": "c1", "content": "9:05"},
            {"role": "assistant", "content": "At 9:05."},
        ]
    }
    totals = await imported(database, pipeline, tmp_path, text, format_=ImportFormat.OPENAI_JSONL)
    assert (totals.messages, totals.calls, totals.refused) == (Stored(4), Stored(2), 0)


async def test_markdown_is_the_active_path_to_be_read(
    database: Database, actor: Actor, session: SessionId, dsn: str
) -> None:
    await execute(dsn, "UPDATE chat_messages SET created_at = '2026-01-31 12:05:00+00'")
    await execute(dsn, "UPDATE chat_sessions SET created_at = '2026-01-31 12:00:00+00'")

    text = (await written(database, actor, session, ExportFormat.MARKDOWN)).decode()

    assert (
        text
        == """# Über Lissabon?

*2026-01-31 12:00 UTC, 4 messages*

## User (2026-01-31 12:05)

When is the train?

## Assistant (2026-01-31 12:05)

Tool call `look_up`:

```json
{"to": "Lisbon"}
```

Result:

```
9:05
```

Tool call `sing`:

```json

```

## Assistant (gpt, 2026-01-31 12:05)

At 9:05.
"""
    )


def test_a_fence_is_longer_than_what_it_holds_and_one_that_was_left_open_is_closed() -> None:
    assert fenced("a\n````\nb") == "`````\na\n````\nb\n`````\n"
    assert closed("text\n```py\ncode") == "text\n```py\ncode\n```"
    assert closed("~~~~\n```\n~~~") == "~~~~\n```\n~~~\n~~~~"
    for whole in ("```\ncode\n```", "a ``` b", "``` a ``` b", "    ```", "text"):
        assert closed(whole) == whole


@pytest.mark.parametrize(
    ("title", "name"),
    [("Über Lissabon?", "uber-lissabon.md"), ("日本", "conversation.md"), ('../a"b\r\n', "a-b.md"),
     ("x" * 200, "x" * 60 + ".md")],
)  # fmt: skip
def test_a_file_has_a_name_that_every_system_takes(title: str, name: str) -> None:
    assert file_name(title, ExportFormat.MARKDOWN) == name


async def test_what_is_written_meanwhile_is_left_out(
    database: Database, pipeline: MessagePipeline, actor: Actor, session: SessionId
) -> None:
    reading = await SessionReading.of(database, actor, session)
    await say(database, pipeline, actor, Draft(session, MessageRole.USER, "And back?"))

    found = {format_: b"".join([piece async for piece in exported(reading, format_)]) for format_ in OF_SESSIONS}

    assert all(b"And back?" not in text for text in found.values())
    assert json.loads(found[ExportFormat.JSONL].splitlines()[-1])["messages"] == 4


async def test_a_session_that_is_deleted_meanwhile_does_not_look_whole(
    database: Database, actor: Actor, session: SessionId
) -> None:
    for format_ in OF_SESSIONS:
        reading = await SessionReading.of(database, actor, session)
        pieces = exported(reading, format_)
        if format_ is ExportFormat.JSONL:
            await anext(pieces)
            async with database.single_statement() as uow:
                await sessions.delete(uow, actor, session, None)
        with pytest.raises(SessionNotFound):
            [piece async for piece in pieces]
        if format_ is ExportFormat.JSONL:
            break


async def test_a_page_costs_the_same_number_of_statements_however_much_is_on_it(
    database: Database, pipeline: MessagePipeline, actor: Actor, statements: StatementRecorder
) -> None:
    sessions_ = []
    for count in (MESSAGES_AT_ONCE, 2 * MESSAGES_AT_ONCE):
        sessions_.append(await a_session(database, actor))
        for _ in range(count):
            draft = Draft(sessions_[-1], MessageRole.ASSISTANT, "hi")
            await say(database, pipeline, actor, draft, [{"name": "look", "arguments": ""}])

    found = []
    for session_id in sessions_:
        statements.clear()
        await written(database, actor, session_id, ExportFormat.JSONL)
        found.append(len(statements.sent))

    # Session, filing, leaf; then per page messages, their places, their calls, and executions of these.
    assert found == [7, 11]


async def test_a_download_is_a_file_with_a_name(client: GraphQLClient, session: SessionId) -> None:
    place = f"/sessions/{global_id('ChatSession', session)}/export"

    answers = {format_: await client.http.get(place, params={"format": format_}) for format_ in OF_SESSIONS}

    assert {answer.status_code for answer in answers.values()} == {200}
    assert [answer.headers["content-type"] for answer in answers.values()] == [
        "application/jsonl", "application/jsonl", "text/markdown; charset=utf-8",
    ]  # fmt: skip
    assert answers[ExportFormat.MARKDOWN].headers["content-disposition"] == (
        "attachment; filename=\"uber-lissabon.md\"; filename*=UTF-8''%C3%9Cber%20Lissabon%3F.md"
    )
    assert (await client.http.get(place)).content == answers[ExportFormat.JSONL].content
    assert (await client.http.head(place)).content == b""


async def test_what_is_not_yours_is_not_there_to_download(client_as: ClientAs, session: SessionId) -> None:
    place = f"/sessions/{global_id('ChatSession', session)}/export"
    bob, stranger, admin = [await client_as(user) for user in ("bob", "alice@acme", "system")]

    assert [(await one.http.get(place)).status_code for one in (bob, stranger, admin)] == [404, 404, 200]
    refused = await admin.http.get(place, params={"format": "pdf"})
    assert (refused.status_code, refused.json()["error"]["field"]) == (400, "format")
    assert (await admin.http.get("/sessions/nonsense/export")).status_code == 400


async def listed(found: AsyncIterator[Any]) -> list[tuple[str, str]]:
    return [(one.tenant_id, one.user_id) async for one in found]


async def test_the_operator_writes_one_session_a_users_or_all(
    database: Database, actor: Actor, session: SessionId
) -> None:
    await a_session(database, an_actor("alice", "acme"))
    await a_session(database, an_actor("bob"))

    assert await listed(sessions_of(database)) == [("acme", "alice"), ("default", "alice"), ("default", "bob")]
    assert await listed(sessions_of(database, session_id=session)) == [("default", "alice")]
    assert await listed(sessions_of(database, user=actor.user_id, tenant=actor.tenant_id)) == [("default", "alice")]
