"""The command `colloquy import`: its answers, its exit codes, and what a kill leaves to the next run."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

import asyncpg

from app.db import migrate
from app.db.database import Database
from app.db.embedded import EmbeddedPostgres
from app.exchange.values import Stored
from app.messages.pipeline import MessagePipeline
from tests.conftest import execute
from tests.exchange.conversations import HELLO, LOOKED_UP, count, everything, imported, written
from tests.forked import colloquy_process


def conversations(amount: int) -> list[dict[str, Any]]:
    """Of 33 messages and 8 calls with ids that repeat."""
    said = LOOKED_UP["messages"] * 8
    return [
        {**LOOKED_UP, "topic": topic, "messages": [*said, {"role": "user", "content": f"end {topic}"}]}
        for topic in range(amount)
    ]


MANY = conversations(60)
"""A second of work or more."""


async def started(dsn: str, *arguments: object) -> Process:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COLLOQUY_")}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from app.cli import main; main()", "import", *map(str, arguments),
        env={**environment, "DATABASE_URL": dsn}, stdout=PIPE, stderr=PIPE,
        # Tests that a shell runs in its background ignore Ctrl-C, and so would what they start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


async def run(dsn: str, *arguments: object) -> tuple[int, str, str]:
    return await colloquy_process("import", *arguments, DATABASE_URL=dsn)


async def test_what_was_done_is_told_and_a_second_run_does_nothing(dsn: str, tmp_path: Path) -> None:
    file = written(tmp_path, [HELLO, LOOKED_UP])

    first = await run(dsn, file, "--user", "amelia", "--tenant", "acme")
    second = await run(dsn, file, "--user", "amelia", "--tenant", "acme")

    assert (first[0], second[0], first[2], second[2]) == (0, 0, "", "")
    assert first[1].splitlines()[:3] == [
        "conversations: 2 new, 0 completed, 0 already there, 0 refused",
        "messages: 6 new, 0 already there",
        "tool calls: 1 new, 0 already there",
    ]
    assert re.fullmatch(r"[\d.]+ seconds, [\d,]+ messages/s", first[1].splitlines()[3])
    assert second[1].splitlines()[:3] == [
        "conversations: 0 new, 0 completed, 2 already there, 0 refused",
        "messages: 0 new, 6 already there",
        "tool calls: 0 new, 1 already there",
    ]
    assert {row[:2] for row in await everything(dsn)} == {("acme", "amelia")}


async def test_refused_lines_are_told_with_exit_code_1(dsn: str, tmp_path: Path) -> None:
    file = written(tmp_path, [b"{}", HELLO])
    file.write_bytes(file.read_bytes() + b'{"messages": [')

    code, out, err = await run(dsn, file)

    assert code == 1
    assert err.splitlines() == [
        "line 1: it must be an object with messages, or a list of messages",
        "line 3: not JSON: Expecting value at character 15; the line has no end, the file may have been cut off",
    ]
    assert out.startswith("conversations: 1 new, 0 completed, 0 already there, 2 refused\n")
    assert await count(dsn, "chat_messages") == 2


async def test_what_has_to_be_mended_first_is_told_in_one_line_with_exit_code_2(dsn: str, tmp_path: Path) -> None:
    file = written(tmp_path, [HELLO])

    absent = await run(dsn, tmp_path / "absent.jsonl")
    nobody = await run(dsn, file, "--user", "a b")
    nowhere = await run("postgresql://127.0.0.1:1/none", file)

    assert absent == (2, "", f"colloquy: {tmp_path}/absent.jsonl cannot be read: No such file or directory\n")
    assert nobody == (2, "", "colloquy: --user must be a name of 1 to 128 characters without spaces and @\n")
    assert (nowhere[0], nowhere[1], nowhere[2].count("\n")) == (2, "", 1)
    assert await count(dsn, "chat_sessions") == 0


async def test_a_killed_import_is_completed_by_the_next_as_if_it_had_never_been(
    dsn: str, empty_dsn: str, pipeline: MessagePipeline, tmp_path: Path
) -> None:
    file = written(tmp_path, MANY)
    for stored in (1, 700):
        process = await started(dsn, file)
        await _until(dsn, stored, process)
        process.send_signal(signal.SIGKILL)
        await process.communicate()
        assert process.returncode == -signal.SIGKILL
    left = await count(dsn, "chat_messages")

    code, out, _ = await run(dsn, file)

    assert left < 1_980
    assert code == 0
    assert re.match(r"conversations: \d+ new, \d+ completed, \d+ already there, 0 refused\n", out)
    await migrate.upgrade(empty_dsn)
    uninterrupted = await Database.connect(empty_dsn)
    totals = await imported(uninterrupted, pipeline, file, user="system")
    await uninterrupted.close()
    assert (totals.messages, totals.calls) == (Stored(1_980), Stored(480))
    assert await everything(dsn) == await everything(empty_dsn)


async def test_connections_that_the_server_ends_do_not_end_the_import(dsn: str, tmp_path: Path) -> None:
    process = await started(dsn, written(tmp_path, MANY))
    await _until(dsn, 1, process)

    await execute(
        dsn,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    out, _ = await process.communicate()

    assert process.returncode == 0
    assert out.startswith(b"conversations: 60 new, 0 completed, 0 already there, 0 refused\n")
    assert (await count(dsn, "chat_messages"), await count(dsn, "tool_calls")) == (1_980, 480)


async def test_a_database_that_goes_away_ends_the_import_with_what_to_do(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    dsn = await asyncio.to_thread(server.start)
    await migrate.upgrade(dsn)
    process = await started(dsn, written(tmp_path, MANY))
    await _until(dsn, 1, process)

    await asyncio.to_thread(server.stop)
    out, err = await process.communicate()

    assert (process.returncode, out) == (2, b"")
    assert re.fullmatch(
        r"colloquy: the database failed; the import stopped after [\d,]+ new messages: run the same command again, "
        r"and it goes on from there",
        err.decode().splitlines()[-1],
    )


async def test_ctrl_c_ends_the_import_with_what_to_do(dsn: str, tmp_path: Path) -> None:
    # Far more than can be done before the signal comes, also where the machine has much else to do.
    process = await started(dsn, written(tmp_path, conversations(2_000)))
    await _until(dsn, 1, process)

    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()

    assert (process.returncode, out) == (130, b"")
    assert err.decode() == "stopped; run the same command again, and it goes on from there\n"


async def _until(dsn: str, messages: int, process: Process) -> None:
    """Wait until so many messages are stored, or the process has ended."""
    connection = await asyncpg.connect(dsn)
    while process.returncode is None and await connection.fetchval(_STORED) < messages:
        pass
    await connection.close()


_STORED = "SELECT count(*) FROM (SELECT pg_sleep(0.02)) AS a_while, chat_messages"
