"""Importing a file: every conversation once, in its order, to its owner; what is refused leaves nothing."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ValidationError
from app.db.database import Database
from app.exchange.display import refusals
from app.exchange.values import Refusal, Stored
from app.messages.pipeline import MessagePipeline
from tests.client import GraphQLClient
from tests.conftest import execute
from tests.exchange.conversations import (
    HELLO,
    LOOKED_UP,
    answers,
    calls,
    count,
    everything,
    imported,
    says,
    written,
)
from tests.fakes import StatementRecorder

PROJECT = Path(__file__).parents[2]
EXAMPLES = PROJECT / "examples" / "conversations.jsonl"
PAGE = PROJECT / "docs" / "import.md"


async def test_a_conversation_is_stored_with_its_calls_and_their_results(
    database: Database, pipeline: MessagePipeline, client: GraphQLClient, tmp_path: Path
) -> None:
    totals = await imported(database, pipeline, written(tmp_path, [LOOKED_UP]))

    assert (totals.conversations, totals.messages, totals.calls) == (Stored(1), Stored(4), Stored(1))
    data = await client.data(
        """{ sessions { nodes { title metadata { customData } messages { nodes {
             sequenceNumber role content toolCallId metadata parent { sequenceNumber }
             toolCalls { callId name arguments result success } } } } } }"""
    )
    (session,) = data["sessions"]["nodes"]
    assert (session["title"], session["metadata"]["customData"]) == ("rain?", {"topic": "weather"})
    assert [_in_short(message) for message in session["messages"]["nodes"]] == [
        (1, None, "USER", "rain?", None, {}),
        (2, 1, "ASSISTANT", "", None, {}),
        (3, 2, "TOOL", "sun", "a", {"name": "look"}),
        (4, 3, "ASSISTANT", "no", None, {}),
    ]
    assert [message["toolCalls"] for message in session["messages"]["nodes"]] == [
        [], [{"callId": "a", "name": "look", "arguments": "{}", "result": "sun", "success": True}], [], [],
    ]  # fmt: skip


def _in_short(message: dict[str, Any]) -> tuple[Any, ...]:
    parent = message["parent"] and message["parent"]["sequenceNumber"]
    named = ("role", "content", "toolCallId", "metadata")
    return (message["sequenceNumber"], parent, *(message[name] for name in named))


async def test_a_second_run_adds_nothing_and_says_so(
    database: Database, pipeline: MessagePipeline, dsn: str, tmp_path: Path
) -> None:
    file = written(tmp_path, [HELLO, LOOKED_UP])
    await imported(database, pipeline, file)
    before = await everything(dsn)

    totals = await imported(database, pipeline, file)

    assert await everything(dsn) == before
    assert (totals.conversations, totals.messages, totals.calls) == (Stored(0, 2), Stored(0, 6), Stored(0, 1))
    assert (totals.completed, totals.refused) == (0, 0)


async def test_a_conversation_that_is_there_costs_one_statement(
    database: Database, pipeline: MessagePipeline, statements: StatementRecorder, tmp_path: Path
) -> None:
    file = written(tmp_path, [LOOKED_UP])
    await imported(database, pipeline, file)
    new = len(statements.sent)
    statements.clear()

    await imported(database, pipeline, file)

    # One question, then a session, four messages and a call.
    assert (new, len(statements.sent)) == (7, 1)


async def test_the_files_name_and_the_order_of_lines_do_not_matter(
    database: Database, pipeline: MessagePipeline, dsn: str, tmp_path: Path
) -> None:
    await imported(database, pipeline, written(tmp_path, [HELLO, LOOKED_UP]))
    (tmp_path / "other").mkdir()

    totals = await imported(database, pipeline, written(tmp_path / "other", [LOOKED_UP, HELLO]))

    assert totals.conversations == Stored(0, 2)
    assert await count(dsn, "chat_sessions") == 2


async def test_a_line_that_stands_in_a_file_twice_is_two_conversations_in_every_run(
    database: Database, pipeline: MessagePipeline, dsn: str, tmp_path: Path
) -> None:
    once = await imported(database, pipeline, written(tmp_path, [HELLO]))
    twice = await imported(database, pipeline, written(tmp_path, [HELLO, HELLO]))
    again = await imported(database, pipeline, written(tmp_path, [HELLO, HELLO]))

    assert [found.conversations for found in (once, twice, again)] == [Stored(1), Stored(1, 1), Stored(0, 2)]
    assert await count(dsn, "chat_messages") == 4


async def test_two_imports_at_once_store_everything_once(
    database: Database, pipeline: MessagePipeline, dsn: str, tmp_path: Path
) -> None:
    file = written(tmp_path, [{**LOOKED_UP, "topic": number} for number in range(12)])

    first, second = await asyncio.gather(imported(database, pipeline, file), imported(database, pipeline, file))

    assert first.messages.new + second.messages.new == 48
    assert (await count(dsn, "chat_messages"), await count(dsn, "tool_calls")) == (48, 12)
    found = await everything(dsn)
    assert [row["role"] for row in map(_columns, found)] == ["user", "assistant", "tool", "assistant"] * 12


def _columns(row: tuple[Any, ...]) -> dict[str, Any]:
    return {"user": row[1], "sequence": row[12], "parent": row[13], "role": row[14], "content": row[16]}


async def test_a_refused_line_leaves_nothing_behind_and_the_others_go_on(
    database: Database, pipeline: MessagePipeline, dsn: str, tmp_path: Path
) -> None:
    late = {"messages": [*LOOKED_UP["messages"], says("robot", "beep")]}
    file = written(tmp_path, [late, HELLO, b"{", [says("user", "\x00")]])

    totals = await imported(database, pipeline, file)

    assert (totals.conversations, totals.refused) == (Stored(1), 3)
    assert totals.refusals == [
        Refusal(1, 'messages[4].role must be system, user, assistant, tool, not "robot"'),
        Refusal(3, "not JSON: Expecting property name enclosed in double quotes at character 2"),
        Refusal(4, "messages[0].content contains the character U+0000, which cannot be stored"),
    ]
    # A session, two messages.
    stored = {
        table: await count(dsn, table) for table in ("chat_sessions", "chat_messages", "tool_calls", "client_keys")
    }
    assert stored == {"chat_sessions": 1, "chat_messages": 2, "tool_calls": 0, "client_keys": 3}


async def test_of_many_refused_lines_the_first_are_named_and_the_others_counted(
    database: Database, pipeline: MessagePipeline, tmp_path: Path
) -> None:
    totals = await imported(database, pipeline, written(tmp_path, [b'{"\x1b[31m": 1e999}'] * 25))

    told = list(refusals(totals))
    assert totals.refused == 25
    assert told[0] == "line 1: not JSON: Invalid control character at character 3"
    assert (len(told), told[-2][:8], told[-1]) == (21, "line 20:", "and 5 more lines")


async def test_a_reason_cannot_steer_the_terminal(
    database: Database, pipeline: MessagePipeline, tmp_path: Path
) -> None:
    totals = await imported(database, pipeline, written(tmp_path, [b'{"\\u001b[31m": 1e999}']))

    assert list(refusals(totals)) == [
        r"line 1: \x1b[31m contains a number too large for a double, which cannot be stored"
    ]


async def test_an_unfinished_import_is_completed_by_the_next(
    database: Database, pipeline: MessagePipeline, client: GraphQLClient, dsn: str, tmp_path: Path
) -> None:
    file = written(tmp_path, [LOOKED_UP])
    await imported(database, pipeline, file)
    whole = await everything(dsn)
    # As if the run had ended after the first message.
    await execute(dsn, "DELETE FROM client_keys WHERE key ~ ':(2|2.1|3|4)$'")
    await execute(dsn, "DELETE FROM chat_messages WHERE sequence_number > 1")
    await execute(
        dsn,
        "UPDATE chat_sessions SET last_sequence = 1, active_leaf_id = (SELECT id FROM chat_messages), tool_calls = 0, "
        "assistant_messages = 0, tool_messages = 0, last_event = 2, "
        "total_tokens_used = (SELECT token_count FROM chat_messages)",
    )
    await execute(dsn, "DELETE FROM events WHERE seq > 2")

    totals = await imported(database, pipeline, file)

    assert (totals.completed, totals.conversations) == (1, Stored(0, 0))
    assert (totals.messages, totals.calls) == (Stored(3, 1), Stored(1))
    assert await everything(dsn) == whole


async def test_what_was_imported_and_deleted_stays_deleted(
    database: Database, pipeline: MessagePipeline, client: GraphQLClient, dsn: str, tmp_path: Path
) -> None:
    file = written(tmp_path, [HELLO])
    await imported(database, pipeline, file)
    (session,) = (await client.data("{ sessions { nodes { id } } }"))["sessions"]["nodes"]
    await client.mutate("deleteSession", "deletedSessionId", {"sessionId": session["id"]})

    whole = await imported(database, pipeline, file)
    await execute(dsn, "DELETE FROM client_keys WHERE key ~ ':2$'")
    unfinished = await imported(database, pipeline, file)

    assert (whole.conversations, whole.refused) == (Stored(0, 1), 0)
    assert unfinished.refusals == [Refusal(1, "an earlier run began to store it, and what it stored was deleted since")]
    assert await count(dsn, "chat_messages") == 0


async def test_a_long_result_is_whole_in_its_message_and_a_preview_in_its_call(
    database: Database, pipeline: MessagePipeline, client: GraphQLClient, tmp_path: Path
) -> None:
    long = "x" * 8_001
    await imported(database, pipeline, written(tmp_path, [[says("user", "?"), calls("a"), answers("a", long)]]))

    data = await client.data(
        "{ sessions { nodes { messages { nodes { content toolCalls { result resultTruncated success } } } } } }"
    )

    _, called, answered = data["sessions"]["nodes"][0]["messages"]["nodes"]
    assert called["toolCalls"] == [{"result": "x" * 8_000, "resultTruncated": True, "success": True}]
    assert answered["content"] == long


async def test_each_conversation_goes_to_the_user_it_names(
    database: Database, pipeline: MessagePipeline, dsn: str, tmp_path: Path
) -> None:
    owners: list[object] = ["amelia", "jonas", "a b", "", 7, "x" * 129]
    lines: list[object] = [{**HELLO, "user_id": owner} for owner in owners]
    file = written(tmp_path, [*lines, HELLO, HELLO["messages"]])

    totals = await imported(database, pipeline, file, user_field="user_id")

    bad = "user_id must be a name of 1 to 128 characters without spaces and @"
    missing = "it has no member user_id, which was to name its user"
    assert totals.refusals == [*(Refusal(line, bad) for line in range(3, 7)), Refusal(7, missing), Refusal(8, missing)]
    assert [(row["user"], row["content"]) for row in map(_columns, await everything(dsn))] == [
        ("amelia", "hello"), ("amelia", "hi"), ("jonas", "hello"), ("jonas", "hi"),
    ]  # fmt: skip


async def test_an_owner_nobody_can_be_is_refused_before_anything_is_read(
    database: Database, pipeline: MessagePipeline, tmp_path: Path
) -> None:
    with pytest.raises(ValidationError, match=r"^--user must be a name of 1 to 128 characters"):
        await imported(database, pipeline, written(tmp_path, [HELLO]), user="a b")


async def test_the_examples_can_be_imported(database: Database, pipeline: MessagePipeline, dsn: str) -> None:
    totals = await imported(database, pipeline, EXAMPLES, user_field="user_id")

    assert (totals.conversations, totals.messages, totals.calls) == (Stored(6), Stored(33), Stored(5))
    assert totals.refused == 0
    assert {row["user"] for row in map(_columns, await everything(dsn))} == {"amelia", "jonas", "marie", "kenji"}


async def test_the_example_on_the_page_about_the_import_is_taken(
    database: Database, pipeline: MessagePipeline, dsn: str, tmp_path: Path
) -> None:
    (shown,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)

    totals = await imported(database, pipeline, written(tmp_path, [json.loads(shown)]), user_field="user_id")

    assert (totals.messages, totals.calls, totals.refused) == (Stored(4), Stored(1), 0)
    assert {row["user"] for row in map(_columns, await everything(dsn))} == {"jonas"}


@pytest.mark.real_data
async def test_real_conversations_are_stored_whole_and_once(
    database: Database, pipeline: MessagePipeline, dsn: str, real_data: Path
) -> None:
    file = real_data / "agent-conversations.jsonl"

    first = await imported(database, pipeline, file)
    stored = await everything(dsn)
    second = await imported(database, pipeline, file)

    assert (first.conversations, first.messages, first.calls) == (Stored(100), Stored(2_658), Stored(572))
    assert (second.conversations, second.messages, second.calls) == (Stored(0, 100), Stored(0, 2_658), Stored(0, 572))
    assert (first.refused, second.refused) == (0, 0)
    assert await everything(dsn) == stored
    assert (await count(dsn, "chat_sessions"), await count(dsn, "tool_calls")) == (100, 572)
    rows = [_columns(row) for row in stored]
    assert [row["sequence"] for row in rows] == [
        1 if before is None or row["parent"] is None else before["sequence"] + 1
        for before, row in zip([None, *rows], rows, strict=False)
    ]
    assert sum(row["parent"] is None for row in rows) == 100
    # Every call of the file is answered in it.
    assert await count(dsn, "tool_calls WHERE success AND result IS NOT NULL") == 572
