"""What a seeding leaves: the same world for the same plan, once, whatever stopped it before."""

import re

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.db.database import Database
from app.messages.pipeline import MessagePipeline
from app.seeding.errors import SeedTaken
from app.seeding.runner import seed
from tests.forked import colloquy_process
from tests.seeding.worlds import a_plan, measures_of, teller_of
from tests.worlds import rows, stored

FORGOTTEN = (
    "DELETE FROM chat_sessions WHERE id = ANY($1)",
    "DELETE FROM events WHERE stream_id = ANY($1)",
    "DELETE FROM usage_ledger WHERE session_id = ANY($1)",
)


async def command(dsn: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of `colloquy seed`."""
    return await colloquy_process("seed", *arguments, DATABASE_URL=dsn)


async def test_what_was_stopped_goes_on_and_what_is_done_adds_nothing(
    database: Database, pipeline: MessagePipeline, dsn: str
) -> None:
    plan, measures = a_plan(sessions=40, messages=125), measures_of(pipeline)
    first = await seed(database, measures, plan)
    whole = await stored(dsn)
    teller = teller_of(plan, measures)
    second_batch = [teller.session_id(index) for index in range(20, 40)]
    for statement in FORGOTTEN:
        await rows(dsn, statement, second_batch)

    completed = await seed(database, measures, plan)
    again = await seed(database, measures, plan)

    assert (first.sessions, first.known) == (40, 0)
    assert (completed.sessions, completed.known) == (20, 20)
    assert (again.sessions, again.known) == (0, 40)
    assert await stored(dsn) == whole


async def test_a_seed_is_one_world_and_another_seed_another(
    database: Database, pipeline: MessagePipeline, dsn: str
) -> None:
    measures = measures_of(pipeline)
    await seed(database, measures, a_plan())
    before = await stored(dsn)

    with pytest.raises(SeedTaken, match="--sessions 12"):
        await seed(database, measures, a_plan(sessions=13))
    unchanged = await stored(dsn)
    await seed(database, measures, a_plan(seed=2))

    assert unchanged == before
    assert (await stored(dsn))["chat_sessions"][0] == 24


async def test_the_command_tells_what_it_stored(dsn: str) -> None:
    arguments = ("--sessions", "6", "--users", "3", "--days", "10")

    first = await command(dsn, *arguments)
    second = await command(dsn, *arguments)
    other = await command(dsn, "--sessions", "7", "--users", "3", "--days", "10")

    assert (first[0], first[2]) == (0, "")
    assert re.fullmatch(
        r"sessions: 6 new\nmessages: [\d,]+ new; rows of all tables: [\d,]+\nprojects: 6 new\n"
        r"templates of the workflow: 4 new\n[\d.]+ seconds, [\d,]+ messages/s\n",
        first[1],
    )
    assert second == (
        0, "6 sessions and 6 projects of this seed are there already: nothing was added\n", ""
    )  # fmt: skip
    assert (other[0], other[2].startswith("colloquy: seed 1 was used here before, with --users 3 --sessions 6")) == (
        2,
        True,
    )


def test_the_command_refuses_a_world_of_nobody() -> None:
    refused = CliRunner().invoke(cli, ["seed", "--users", "0"])

    assert (refused.exit_code, refused.stderr) == (2, "colloquy: --users must be between 1 and 10,000, not 0\n")
