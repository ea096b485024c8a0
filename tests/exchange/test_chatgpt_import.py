"""Importing exports of ChatGPT: files, folders and archives, whole, cut, grown or malicious."""

import asyncio
import itertools
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.db.database import Database
from app.exchange.display import refusals
from app.exchange.errors import UnusableFile
from app.exchange.files.sources import guessed, parts_of
from app.exchange.formats.names import ImportFormat
from app.exchange.values import Refusal, Stored, Totals
from app.idempotency.service import forget_old_keys
from app.messages.pipeline import MessagePipeline
from tests.client import GraphQLClient
from tests.conftest import execute
from tests.exchange import conversations
from tests.exchange.conversations import count
from tests.exchange.exports import BEGUN, archived, branched, chat, exported, node, silent
from tests.exchange.test_import_command import run
from tests.worlds import rows, stored

_TREE = """{ sessions(orderBy: CREATED_AT_ASC) { nodes { title status createdAt updatedAt messages(first: 100) { nodes {
    sequenceNumber role content createdAt parent { sequenceNumber } generation { model }
    toolCalls { name arguments result } } } } } }"""

_LEAVES = """SELECT m.content FROM chat_sessions s JOIN chat_messages m
    ON m.tenant_id = s.tenant_id AND m.id = s.active_leaf_id ORDER BY s.created_at, s.id"""


async def imported(database: Database, pipeline: MessagePipeline, file: Path, **members: Any) -> Totals:
    return await conversations.imported(database, pipeline, file, format_=ImportFormat.CHATGPT, **members)


def tree_of(session: dict[str, Any]) -> list[tuple[int, int | None, str]]:
    return [
        (one["sequenceNumber"], one["parent"] and one["parent"]["sequenceNumber"], one["content"])
        for one in session["messages"]["nodes"]
    ]


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


async def leaves(dsn: str) -> list[str]:
    return [row["content"] for row in await rows(dsn, _LEAVES)]


async def test_a_tree_is_stored_with_its_branches_times_and_active_leaf(
    database: Database, pipeline: MessagePipeline, client: GraphQLClient, dsn: str, tmp_path: Path
) -> None:
    totals = await imported(database, pipeline, exported(tmp_path, [branched()]))

    assert (totals.conversations, totals.messages, totals.refused) == (Stored(1), Stored(4), 0)
    (session,) = (await client.data(_TREE))["sessions"]["nodes"]
    assert tree_of(session) == [(1, None, "question"), (2, 1, "first"), (3, 1, "second"), (4, 2, "more")]
    assert (session["title"], session["createdAt"]) == ("Lisbon", moment(BEGUN))
    assert session["updatedAt"] == moment(BEGUN + 100)
    assert [one["createdAt"] for one in session["messages"]["nodes"]] == [
        moment(BEGUN + after) for after in (1, 2, 9, 20)
    ]
    assert await leaves(dsn) == ["more"]
    # An answer took a second.
    assert (await rows(dsn, "SELECT answered, answer_ms FROM chat_sessions")) == [{"answered": 1, "answer_ms": 1_000}]


async def test_the_active_leaf_is_the_current_node_wherever_it_is(
    database: Database, pipeline: MessagePipeline, dsn: str, tmp_path: Path
) -> None:
    # `first` has an answer; `root` says nothing, and neither does anything above it.
    nodes = ["first", "second", "question", "root"]
    exports = [{**branched(name), "current_node": name, "create_time": BEGUN + n} for n, name in enumerate(nodes)]

    await imported(database, pipeline, exported(tmp_path, exports))

    assert await leaves(dsn) == ["first", "second", "question", "more"]


async def test_the_log_says_when_it_came_and_what_comes_later_is_later(
    database: Database, pipeline: MessagePipeline, client: GraphQLClient, dsn: str, tmp_path: Path
) -> None:
    before = datetime.now(UTC)
    far = chat(node("a", None, at=BEGUN + 1), node("b", "a", "assistant", at=4_000_000_000), update_time=4_000_000_000)
    await imported(database, pipeline, exported(tmp_path, [far]))
    (session,) = (await client.data("{ sessions { nodes { id } } }"))["sessions"]["nodes"]
    said = await client.say(session["id"], "and now?")

    events = await rows(dsn, "SELECT kind, at FROM events ORDER BY seq")
    times = await rows(dsn, "SELECT created_at FROM chat_messages ORDER BY sequence_number")

    assert [event["kind"] for event in events] == ["session.created", *["message.appended"] * 3]
    assert all(before <= event["at"] <= datetime.now(UTC) for event in events)
    assert said["message"]["sequenceNumber"] == 3
    # What is yet to come is the present.
    assert before <= times[1]["created_at"] <= times[2]["created_at"] <= datetime.now(UTC)


async def test_a_second_run_adds_nothing_also_when_client_keys_were_forgotten(
    database: Database, pipeline: MessagePipeline, dsn: str, tmp_path: Path
) -> None:
    file = exported(tmp_path, [branched(), branched("c2")])
    await imported(database, pipeline, file)
    await execute(dsn, "UPDATE client_keys SET created_at = created_at - interval '30 days'")
    await forget_old_keys(database)
    before = await stored(dsn)

    totals = await imported(database, pipeline, file)

    assert (totals.conversations, totals.messages) == (Stored(0, 2), Stored(0, 8))
    assert await stored(dsn) == before


async def test_a_later_export_adds_what_is_new_to_the_same_session(
    database: Database, pipeline: MessagePipeline, client: GraphQLClient, dsn: str, tmp_path: Path
) -> None:
    await imported(database, pipeline, exported(tmp_path, [branched()]))
    grown = branched()
    grown["mapping"]["third"] = node("third", "question", "assistant", at=BEGUN + 900)
    grown["mapping"]["last"] = node("last", "third", at=BEGUN + 1_000)
    grown["current_node"] = "last"

    totals = await imported(database, pipeline, exported(tmp_path, [grown]))

    assert (totals.conversations, totals.completed, totals.messages) == (Stored(0, 0), 1, Stored(2, 4))
    (session,) = (await client.data(_TREE))["sessions"]["nodes"]
    assert tree_of(session)[4:] == [(5, 1, "third"), (6, 5, "last")]
    assert session["updatedAt"] == moment(BEGUN + 1_000)
    assert await leaves(dsn) == ["last"]


async def test_a_conversation_that_comes_twice_is_stored_once(
    database: Database, pipeline: MessagePipeline, dsn: str, tmp_path: Path
) -> None:
    totals = await imported(database, pipeline, exported(tmp_path, [branched()] * 12))

    assert totals.messages.new == 4
    assert (await count(dsn, "chat_sessions"), await count(dsn, "chat_messages")) == (1, 4)


async def test_calls_are_stored_with_their_answers(
    database: Database, pipeline: MessagePipeline, client: GraphQLClient, tmp_path: Path
) -> None:
    called = node("call", "a", "assistant", "1 + 1", recipient="python")
    answer = node("answer", "call", "tool", "2", author={"role": "tool", "name": "python"})

    totals = await imported(database, pipeline, exported(tmp_path, [chat(node("a", None), called, answer)]))

    (session,) = (await client.data(_TREE))["sessions"]["nodes"]
    assert totals.calls == Stored(1)
    assert [one["toolCalls"] for one in session["messages"]["nodes"]] == [
        [], [{"name": "python", "arguments": "1 + 1", "result": "2"}], [],
    ]  # fmt: skip
    assert session["updatedAt"] == moment(BEGUN + 100)


async def test_a_file_that_was_cut_off_gives_what_was_whole_and_the_whole_file_the_rest(
    database: Database, pipeline: MessagePipeline, dsn: str, tmp_path: Path
) -> None:
    file = exported(tmp_path, [branched(f"c{n}") for n in range(5)])
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * 7 // 10])

    cut = await imported(database, pipeline, file)
    file.write_bytes(whole)
    again = await imported(database, pipeline, file)

    assert (cut.conversations, cut.refused, cut.refusals[0].line) == (Stored(3), 1, 4)
    assert "the conversation has no end, the file may have been cut off" in cut.refusals[0].reason
    assert (again.conversations, again.refused) == (Stored(2, 3), 0)
    assert await count(dsn, "chat_messages") == 20


async def test_a_run_that_was_cut_short_is_completed_by_the_next(
    database: Database, pipeline: MessagePipeline, dsn: str, empty_dsn: str, tmp_path: Path
) -> None:
    nodes = [node("0", None), *(node(f"{n}", f"{n - 1}", "assistant") for n in range(1, 200))]
    file = exported(tmp_path, [chat(*nodes, key=f"c{n}") for n in range(8)])
    work = asyncio.create_task(imported(database, pipeline, file))
    while await count(dsn, "chat_messages") < 100:
        pass
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    left = await count(dsn, "chat_messages")

    totals = await imported(database, pipeline, file)

    assert left < 1_600
    assert totals.messages.new + totals.messages.known == 1_600
    assert await leaves(dsn) == ["199"] * 8
    chains = await rows(
        dsn,
        """SELECT count(*) AS linked FROM chat_messages m JOIN chat_messages p
        ON p.id = m.parent_message_id AND p.session_id = m.session_id AND p.sequence_number = m.sequence_number - 1""",
    )
    assert chains == [{"linked": 1_592}]


async def test_refused_conversations_leave_nothing_and_are_named_by_their_number(
    database: Database, pipeline: MessagePipeline, dsn: str, tmp_path: Path
) -> None:
    bad = branched("bad")
    bad["mapping"]["more"]["message"]["content"]["parts"] = ["\ud800"]

    totals = await imported(database, pipeline, exported(tmp_path, [7, bad, branched("good")]))

    assert list(refusals(totals)) == [
        "conversation 1: it must be an object with a mapping",
        "conversation 2: mapping.more.message.content.parts[0] contains a lone surrogate (half of a UTF-16 pair), "
        "which cannot be stored",
    ]
    assert await count(dsn, "chat_sessions") == 1


async def test_an_archive_gives_all_its_conversations(
    database: Database, pipeline: MessagePipeline, dsn: str, tmp_path: Path
) -> None:
    archive = archived(
        tmp_path,
        **{
            "export/conversations-001.json": [branched("c2"), "no"], "export/conversations-000.json": [branched("c1")],
            "export/user.json": {"id": "u"}, "__MACOSX/._conversations.json": b"\x00\x05", "chat.html": b"<html>",
        },
    )  # fmt: skip

    totals = await imported(database, pipeline, archive)

    assert (totals.conversations, totals.refusals) == (
        Stored(2), [Refusal(2, "it must be an object with a mapping", "export/conversations-001.json")],
    )  # fmt: skip
    assert totals.read_bytes == sum(part.size_bytes for part in parts_of([archive], ImportFormat.CHATGPT))
    assert list(refusals(totals)) == [
        "export/conversations-001.json, conversation 2: it must be an object with a mapping"
    ]


async def test_a_folder_gives_all_its_conversations(
    database: Database, pipeline: MessagePipeline, tmp_path: Path
) -> None:
    exported(tmp_path, [branched("c1")])
    exported(tmp_path, [branched("c2")], "conversations-001.json")
    exported(tmp_path, [7], "user.json")

    totals = await imported(database, pipeline, tmp_path)

    assert (totals.conversations, totals.refused) == (Stored(2), 0)


@pytest.mark.parametrize(
    ("name", "content", "kept", "reason"),
    [
        ("user.json", b"{}", None, "the archive holds no conversations.json"),
        ("conversations.json", b" " * 70_000_000, None, "would be 70,000,000 bytes, packed into"),
        ("conversations.json", b"[]" * 999, -30, "not a zip file"),
        ("conversations.json", b"[]" * 999, 40, "not a zip file"),
    ],
    ids=["without conversations", "a bomb", "without an end", "a beginning"],
)
def test_an_archive_that_cannot_be_read_is_told(
    name: str, content: bytes, kept: int | None, reason: str, tmp_path: Path
) -> None:
    archive = archived(tmp_path, **{name: content})
    archive.write_bytes(archive.read_bytes()[:kept])

    with pytest.raises(UnusableFile, match=reason):
        parts_of([archive], ImportFormat.CHATGPT)


async def test_an_archive_that_lies_about_its_content_is_told_on_the_way(
    database: Database, pipeline: MessagePipeline, dsn: str, tmp_path: Path
) -> None:
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as made:
        made.writestr("conversations.json", json.dumps([branched()]))
    archive.write_bytes(archive.read_bytes().replace(b"Lisbon", b"Madrid", 1))

    with pytest.raises(UnusableFile, match=r"export.zip \(conversations.json\) cannot be read: Bad CRC-32"):
        await imported(database, pipeline, archive)


async def test_a_folder_without_conversations_and_what_is_not_there_are_told(tmp_path: Path) -> None:
    with pytest.raises(UnusableFile, match="the folder holds no conversations"):
        parts_of([tmp_path], ImportFormat.CHATGPT)
    with pytest.raises(UnusableFile, match="No such file or directory"):
        parts_of([tmp_path / "absent"], ImportFormat.CHATGPT)


def test_the_format_is_known_by_name_and_first_bytes(tmp_path: Path) -> None:
    lines = conversations.written(tmp_path, [conversations.HELLO])

    assert guessed([exported(tmp_path, [])]) is ImportFormat.CHATGPT
    assert guessed([archived(tmp_path)]) is ImportFormat.CHATGPT
    assert guessed([tmp_path]) is ImportFormat.CHATGPT
    assert guessed([lines]) is ImportFormat.OPENAI_JSONL
    with pytest.raises(UnusableFile, match="the files are of several formats"):
        guessed([lines, tmp_path])


async def test_the_command_takes_an_export_without_being_told_what_it_is(dsn: str, tmp_path: Path) -> None:
    archive = archived(tmp_path, **{"conversations.json": [branched(), chat(silent("a", None))]})

    code, out, err = await run(dsn, archive)
    wrong = await run(dsn, archive, "--format", "openai-jsonl")

    assert (code, err) == (1, "conversation 2: it has no messages\n")
    assert out.startswith("conversations: 1 new, 0 completed, 0 already there, 1 refused\nmessages: 4 new, ")
    assert wrong[0] == 1


_numbers = itertools.count()

_TEXT = st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=20)


@st.composite
def _exports(draw: st.DrawFn) -> dict[str, Any]:
    """A tree of any shape, with roots, silent nodes, times and kinds of content as they come."""
    nodes = []
    for number in range(draw(st.integers(1, 12))):
        parent = draw(st.none() | st.integers(0, number - 1).map(str)) if number else None
        if draw(st.integers(0, 4)) == 0:
            nodes.append(silent(str(number), parent))
            continue
        role = draw(st.sampled_from(["system", "user", "assistant", "tool"]))
        at = draw(st.none() | st.floats(BEGUN, BEGUN + 1_000) | st.just(float("nan")))
        content = draw(
            st.fixed_dictionaries({"content_type": st.just("text"), "parts": st.lists(_TEXT, max_size=3)})
            | st.fixed_dictionaries({"content_type": st.just("code"), "text": _TEXT, "language": _TEXT})
            | st.fixed_dictionaries({"content_type": st.just("new_kind"), "rays": st.integers(0, 3)})
        )
        recipient = draw(st.sampled_from(["all", "python"]))
        nodes.append(node(str(number), parent, role, at=at, content=content, recipient=recipient))
    return chat(*draw(st.permutations(nodes)), current_node=draw(st.sampled_from(nodes))["id"])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(export=_exports())
async def test_any_export_is_taken_whole_or_refused_and_a_second_run_adds_nothing(
    database: Database, pipeline: MessagePipeline, dsn: str, tmp_path: Path, export: dict[str, Any]
) -> None:
    # Every example has a user of its own.
    user = f"user-{next(_numbers)}"
    file = exported(tmp_path, [export])

    first = await imported(database, pipeline, file, user=user)
    second = await imported(database, pipeline, file, user=user)

    assert (first.messages.new, first.calls.new) == (second.messages.known, second.calls.known)
    assert (second.messages.new, second.calls.new, first.refused) == (0, 0, second.refused)
    assert {refusal.reason for refusal in first.refusals} <= {"it has no messages"}
    found = await rows(
        dsn,
        f"""SELECT m.sequence_number, p.sequence_number AS parent, m.custom_metadata->>'node_id' AS node
        FROM chat_sessions s JOIN chat_messages m ON m.tenant_id = s.tenant_id AND m.session_id = s.id
        LEFT JOIN chat_messages p ON p.id = m.parent_message_id WHERE s.user_id = '{user}' ORDER BY 1""",
    )
    assert [row["sequence_number"] for row in found] == list(range(1, len(found) + 1))
    assert all(row["parent"] is None or row["parent"] < row["sequence_number"] for row in found)
    by_number = {row["sequence_number"]: row["node"] for row in found}
    kept = set(by_number.values())
    for row in found:
        above = export["mapping"][row["node"]]["parent"]
        while above is not None and above not in kept:
            above = export["mapping"][above]["parent"]
        assert by_number.get(row["parent"]) == above
