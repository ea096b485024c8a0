"""A user who is erased leaves nothing: no row, no name, no text, in no table; everybody else keeps everything."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import Uuid

from app.core.actor import UserId
from app.core.ids import split_global_id
from app.db.database import Database
from app.erasure.pipeline import ErasurePipeline
from app.erasure.repository import owned_tables
from app.events.following import HappenedEvents
from app.events.loaders import read_events
from app.events.models import Event
from app.events.values import EventKind
from app.exchange.formats.names import ImportFormat
from app.messages.pipeline import MessagePipeline
from app.sessions.errors import SessionNotFound
from app.streams.feed import Feed
from app.streams.values import StreamKey
from app.tables import metadata
from tests.client import GraphQLClient
from tests.conftest import an_actor, execute
from tests.exchange.conversations import imported
from tests.exchange.exports import chat, exported, node
from tests.forked import colloquy_process
from tests.worlds import ClientAs, Conversation, conversation, live_run, rows, stored


async def erase(client: GraphQLClient, user: str, **input_: Any) -> dict[str, Any]:
    """The payload of the mutation, with the counts by table."""
    payload = await client.mutate("eraseUser", "erased { table count }", {"userId": user, **input_})
    if payload["erased"] is not None:
        payload["erased"] = {one["table"]: int(one["count"]) for one in payload["erased"]}
    return payload


SHARED = {
    "prompt_labels", "prompt_template_changes", "prompt_template_versions", "prompt_templates",
    "projects", "workflow_stages", "stories", "reviews", "review_decisions",
}  # fmt: skip
"""What is the tenant's and not its author's: his words stay there, his name does not."""


async def every_row(dsn: str) -> dict[str, list[str]]:
    """Every row of every table, as text: ours by the metadata, and those of the queue, whatever they are."""
    connection = await asyncpg.connect(dsn)
    try:
        names = [
            row[0] for row in await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ]
        assert set(metadata.tables) <= set(names)
        return {
            # Bytes are shown as they are stored: a job's payload is text.
            name: [
                " ".join(value.decode(errors="replace") if isinstance(value, bytes) else str(value) for value in row)
                for row in await connection.fetch(f"SELECT * FROM {name}")
            ]
            for name in names
        }
    finally:
        await connection.close()


async def ids_of(dsn: str, user: str, tenant: str) -> list[str]:
    """The ids of all rows that a user's rows have, in every table that has a tenant."""
    found: list[str] = []
    for table in (one for one in metadata.sorted_tables if "tenant_id" in one.c):
        owner = next((name for name in ("user_id", "owner_id") if name in table.c), None)
        if owner is None:
            continue
        columns = [column.name for column in table.c if isinstance(column.type, Uuid)]
        for row in await rows(
            dsn, f"SELECT {', '.join(columns)} FROM {table.name} WHERE tenant_id = $1 AND {owner} = $2", tenant, user
        ):
            found += [str(value) for value in row.values() if value is not None]
    return found


def places_of(found: dict[str, list[str]], *marks: str) -> list[tuple[str, str]]:
    """Where a text is left; in what all of the tenant share, where his name is."""
    own = [(table, line) for table, lines in found.items() if table not in SHARED for line in lines]
    shared = [(table, line.split(" ")) for table in SHARED for line in found[table]]
    return [
        *((table, mark) for table, line in own for mark in marks if mark in line),
        *((table, "bob") for table, words in shared if {"default", "bob"} <= set(words)),
    ]


@pytest.fixture
async def bob(client_as: ClientAs) -> GraphQLClient:
    """Who is to be erased."""
    return await client_as("bob")


@pytest.fixture
async def admin(client_as: ClientAs) -> GraphQLClient:
    """Who may erase anybody of the tenant."""
    return await client_as("system")


@pytest.fixture
async def bobs(bob: GraphQLClient) -> Conversation:
    """What he has: one conversation, one that he deleted, and a run that waits for a worker."""
    own = await conversation(bob, chains=2, mark="bobs-words")
    gone = await conversation(bob, mark="bobs-words")
    await live_run(bob, gone)
    await bob.mutate("deleteSession", "deletedSessionId", {"sessionId": gone.session, "clientKey": "bobs-words"})
    await live_run(bob, own)
    return own


@pytest.fixture
async def others(client_as: ClientAs) -> list[Conversation]:
    """What others have: of the same tenant, and of the same name in another."""
    return [
        await conversation(await client_as("carol"), mark="carols-words"),
        await conversation(await client_as("bob@acme"), mark="acmes-words"),
    ]


async def rows_of_others(dsn: str, others: list[Conversation]) -> dict[str, list[str]]:
    found = await every_row(dsn)
    sessions = [split_global_id(one.session)[1] for one in others]
    return {
        table: sorted(line for line in lines if "carol" in line or "acme" in line or any(s in line for s in sessions))
        for table, lines in found.items()
    }


async def test_nothing_of_an_erased_user_is_left_in_any_table(
    admin: GraphQLClient, bobs: Conversation, others: list[Conversation], dsn: str
) -> None:
    ids = await ids_of(dsn, "bob", "default")
    before = await rows_of_others(dsn, others)
    held = {table for table, lines in (await every_row(dsn)).items() if lines}

    payload = await erase(admin, "bob")

    left = await every_row(dsn)
    assert payload["success"], payload
    assert {"chat_sessions", "chat_messages", "events", "runs", "tool_calls", "usage_ledger", "pgqueuer"} <= held
    assert len(ids) > 50
    assert places_of(left, *ids, "bobs-words") == []
    tenants = [row for table in metadata.sorted_tables for row in left[table.name] if "default" in row.split(" ")]
    assert [row for row in tenants if "bob" in row.split(" ")] == []
    assert await rows_of_others(dsn, others) == before


async def test_what_was_erased_is_counted_by_table(admin: GraphQLClient, bobs: Conversation, dsn: str) -> None:
    counted = {}
    for table in ("chat_sessions", "session_metadata", "chat_messages", "tool_calls", "runs", "client_keys"):
        counted[table] = len(await rows(dsn, f"SELECT 1 FROM {table}"))
    waiting = len(await rows(dsn, "SELECT 1 FROM pgqueuer"))

    payload = await erase(admin, "bob")

    assert {table: payload["erased"].get(table, 0) for table in counted} == counted
    assert payload["erased"]["jobs"] == waiting
    assert payload["erased"]["events"] > counted["chat_messages"]
    assert list(payload["erased"]) == sorted(payload["erased"])


async def test_a_second_time_there_is_nothing(admin: GraphQLClient, bobs: Conversation, dsn: str) -> None:
    await erase(admin, "bob")
    before = await stored(dsn)

    payload = await erase(admin, "bob")

    assert (payload["success"], payload["erased"]) == (True, {})
    assert await stored(dsn) == before


async def test_a_user_may_erase_themselves_and_no_one_else(
    bob: GraphQLClient, client_as: ClientAs, bobs: Conversation, dsn: str
) -> None:
    before = await stored(dsn)
    refused = [await erase(await client_as(user), "bob") for user in ("carol", "bob@acme", "system@acme")]

    assert [payload["error"] and payload["error"]["code"] for payload in refused] == ["FORBIDDEN", None, None]
    assert refused[0]["error"]["field"] == "userId"
    assert await stored(dsn) == before
    payload = await erase(bob, "bob", clientKey="once")
    assert payload["erased"]["chat_sessions"] == 1
    # Not even the key of this request.
    assert await rows(dsn, "SELECT 1 FROM client_keys") == []


async def test_an_admins_key_has_it_done_once(admin: GraphQLClient, bobs: Conversation, dsn: str) -> None:
    first = await erase(admin, "bob", clientKey="once")
    after = await stored(dsn)
    again, *rivals = await asyncio.gather(*(erase(admin, "bob", clientKey="once") for _ in range(5)))
    other = await erase(admin, "carol", clientKey="once")

    assert (first["deduplicated"], first["erased"]["chat_sessions"]) == (False, 1)
    assert [(one["success"], one["deduplicated"], one["erased"]) for one in (again, *rivals)] == [(True, True, {})] * 5
    assert other["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert await stored(dsn) == after


@pytest.mark.parametrize("user", ["", " ", "x" * 129, "\x00"])
async def test_a_user_nobody_can_be_is_refused(admin: GraphQLClient, user: str) -> None:
    payload = await erase(admin, user)

    assert (payload["error"]["code"], payload["error"]["field"]) == ("VALIDATION_ERROR", "userId")


async def test_who_did_something_to_what_is_others_is_no_longer_named(
    admin: GraphQLClient, others: list[Conversation], dsn: str
) -> None:
    await execute(dsn, "UPDATE events SET actor = 'bob' WHERE owner_id = 'carol' AND seq = 2")

    payload = await erase(admin, "bob")

    assert payload["erased"] == {"events": 1}
    acted = await rows(dsn, "SELECT actor FROM events WHERE owner_id = 'carol' ORDER BY seq LIMIT 3")
    assert [row["actor"] for row in acted] == ["carol", "erased user", "carol"]


async def test_a_session_longer_than_a_statement_takes_is_erased_from_its_end(
    database: Database, pipeline: MessagePipeline, admin: GraphQLClient, dsn: str, tmp_path: Path
) -> None:
    long = chat(node("0", None), *(node(f"{n}", f"{n - 1}", "assistant") for n in range(1, 300)))
    await imported(database, pipeline, exported(tmp_path, [long]), user="bob", format_=ImportFormat.CHATGPT)
    await execute(
        dsn,
        """INSERT INTO chat_messages (tenant_id, id, session_id, sequence_number, parent_message_id, role, content)
           SELECT m.tenant_id, gen_random_uuid(), m.session_id, 300 * n + m.sequence_number, m.id, 'user', 'bobs-words'
           FROM chat_messages m, generate_series(1, 16) n""",
    )

    payload = await erase(admin, "bob")

    assert payload["erased"]["chat_messages"] == 5_100
    assert {table for table, lines in (await every_row(dsn)).items() if lines} <= {"alembic_version"}


class Interrupted(Exception):
    """The process ends."""


async def test_an_erasure_that_was_interrupted_goes_on(
    database: Database, services: Any, bobs: Conversation, dsn: str
) -> None:
    """Whatever was done by then, a second request does the rest."""

    class Broken(Database):
        """Ends after so many units of work."""

        left = 0

        def single_statement(self, *, replayable: bool = False) -> Any:
            if not self.left:
                raise Interrupted
            self.left -= 1
            return super().single_statement(replayable=replayable)

    work: ErasurePipeline = services[ErasurePipeline]
    ids = await ids_of(dsn, "bob", "default")
    ended = 0
    for left in range(40):
        broken = await Broken.connect(dsn)
        broken.left = left
        try:
            await work.erase(broken, an_actor("system"), UserId("bob"), None)
        except Interrupted:
            ended += 1
        else:
            break
        finally:
            await broken.close()

    assert ended > 3
    assert places_of(await every_row(dsn), *ids, "bobs-words") == []


async def test_writes_at_the_same_time_are_gone_or_come_after(
    bob: GraphQLClient, admin: GraphQLClient, bobs: Conversation, dsn: str
) -> None:
    async def write(number: int) -> str:
        session = await bob.create_session(title=f"later {number}")
        for _ in range(3):
            await bob.say(session, "later")
        return session

    async def append() -> int:
        written = 0
        while (payload := await bob.say(bobs.session, "bobs-words"))["success"]:
            written += 1
        assert payload["error"]["code"] == SessionNotFound.code
        return written

    payload, *_ = await asyncio.gather(erase(admin, "bob"), append(), *(write(number) for number in range(6)))

    assert payload["success"], payload
    left = await every_row(dsn)
    assert places_of(left, "bobs-words") == []
    found = await rows(
        dsn,
        """SELECT s.last_sequence, s.last_event,
          (SELECT count(*) FROM chat_messages m WHERE m.session_id = s.id) AS messages,
          (SELECT count(*) FROM events e WHERE e.stream_id = s.id) AS events FROM chat_sessions s""",
    )
    assert all(row["last_sequence"] == row["messages"] and row["last_event"] == row["events"] for row in found)
    await erase(admin, "bob")
    assert places_of(await every_row(dsn), "later", "bob") == []


async def test_who_writes_to_an_erased_session_is_told_that_there_is_none(
    bob: GraphQLClient, admin: GraphQLClient, bobs: Conversation
) -> None:
    await erase(admin, "bob")

    payload = await bob.say(bobs.session, "hello?")

    assert payload["error"]["code"] == SessionNotFound.code


async def test_who_follows_an_erased_session_is_told_that_it_ended(
    database: Database, admin: GraphQLClient, bobs: Conversation, dsn: str
) -> None:
    feed: Feed[Event] = Feed(partial(read_events, database), poll_seconds=0.01)
    polling = asyncio.create_task(feed.run())
    session = UUID(split_global_id(bobs.session)[1])
    following = HappenedEvents(database, feed).follow(an_actor("bob"), StreamKey("default", session), 0)
    first = await anext(following)

    await erase(admin, "bob")
    told = [first, *[event async for event in following]]

    polling.cancel()
    assert [event.kind for event in told].count(EventKind.SESSION_DELETED) == 1
    assert (told[-1].kind, told[-1].actor) == (EventKind.SESSION_DELETED, "")


async def test_the_command_erases_a_user(bobs: Conversation, dsn: str) -> None:
    async def run(*arguments: str) -> tuple[int, str, str]:
        return await colloquy_process("erase", *arguments, DATABASE_URL=dsn)

    unsure = await run("--user", "bob@default")
    done = await run("--user", "bob@default", "--yes")

    assert unsure == (2, "", "colloquy: this erases bob@default for good: say --yes if that is meant\n")
    assert done[0] == 0
    # What is logged of it names nobody.
    assert "bob" not in done[2]
    assert "chat_sessions: 1\n" in done[1]
    assert places_of(await every_row(dsn), "bobs-words") == []


def test_every_table_that_names_a_user_is_known() -> None:
    """Tables to come must call the user as the others do, or hang on a row that does."""
    named = {column.name for table in metadata.sorted_tables for column in table.c if column.name.endswith("user_id")}

    assert named <= {"user_id"}
    assert {table.name for table in owned_tables()} >= {"client_keys", "usage_ledger"}
