"""`colloquy chat "…"`: the answer on standard output, whatever happens to connections, and an exit code."""

import asyncio
import os
import shlex
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from tests.chat.conftest import LONG
from tests.chat.terminal import Printed, piped, terminal
from tests.cutting import cutter_before
from tests.forked import REPOSITORY
from tests.processes import Served, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

ECHO = ("--model", "local:echo")


async def test_the_answer_is_printed_and_nothing_else(served: Served, user: str) -> None:
    printed = await piped("--url", await served.address(), "--user", user, *ECHO, "漢字 👩‍👩‍👧\u2028 and é")

    assert printed == Printed(0, "漢字 👩‍👩‍👧\u2028 and é\n", "")


async def test_the_server_of_the_settings_is_asked_where_none_is_named(served: Served, user: str) -> None:
    port = (await served.address()).rpartition(":")[2]

    printed = await piped(*ECHO, "--user", user, "hello", COLLOQUY_PORT=port)

    assert printed == Printed(0, "hello\n", "")


async def test_a_message_goes_into_the_session_and_as_the_user_that_are_named(served: Served, user: str) -> None:
    async with served.client(user) as bob:
        session = await bob.create_session(title="Bob's")

        printed = await piped("--url", await served.address(), "--user", user, "--session", session, *ECHO, "hello")

        found = await bob.data(
            "query ($id: ID!) { session(id: $id) { messages { nodes { role content } } } }", {"id": session}
        )
    assert printed == Printed(0, "hello\n", "")
    assert found["session"]["messages"]["nodes"] == [
        {"role": "USER", "content": "hello"},
        {"role": "ASSISTANT", "content": "hello"},
    ]


async def test_an_answer_survives_connections_that_are_cut(served: Served, user: str) -> None:
    async with cutter_before(await served.address()) as (cutter, url):
        cutter.cut_answers(5)

        printed = await piped("--url", url, "--user", user, *ECHO, LONG)

    assert printed == Printed(0, f"{LONG}\n", "")
    assert cutter.cuts_done == 5


async def test_an_answer_goes_on_at_another_process_when_the_one_that_was_asked_dies(
    dsn: str, tmp_path: Path, user: str
) -> None:
    slow = {"COLLOQUY_LOCAL_WORDS_PER_SECOND": "20", "COLLOQUY_JOB_LEASE_SECONDS": "1"}
    async with (
        serving(tmp_path, DATABASE_URL=dsn, **slow) as dying,
        serving(tmp_path, DATABASE_URL=dsn, **slow) as staying,
        cutter_before(await dying.address()) as (cutter, url),
    ):
        there = await staying.address()
        async with terminal("--url", url, "--user", user, *ECHO, LONG) as chat:
            await chat.shows("word9")
            cutter.server = there
            await dying.kill()
            code = await chat.ended()

            async with staying.client(user) as client:
                query = "{ sessions { nodes { messages(last: 1) { nodes { content status } } } } }"
                [session] = (await client.data(query))["sessions"]["nodes"]
    [stored] = session["messages"]["nodes"]
    # Whichever of the two worked the run: all that is stored was shown, once.
    assert _without_notes(chat.shown).startswith(stored["content"])
    assert code == (0 if stored["status"] == "COMPLETED" else 1)


async def test_a_server_that_is_restarted_tells_that_it_was_interrupted(dsn: str, tmp_path: Path, user: str) -> None:
    slow = {"COLLOQUY_LOCAL_WORDS_PER_SECOND": "20", "COLLOQUY_SHUTDOWN_SECONDS": "0.2"}
    async with serving(tmp_path, DATABASE_URL=dsn, **slow) as before:
        url = await before.address()
        async with terminal("--url", url, "--user", user, *ECHO, LONG) as chat:
            await chat.shows("word7")
            await before.stop()
            async with serving(tmp_path, "--port", url.rpartition(":")[2], DATABASE_URL=dsn) as after:
                code = await chat.ended()

                async with after.client(user) as client:
                    query = "{ sessions { nodes { messages(last: 1) { nodes { content } } } } }"
                    [session] = (await client.data(query))["sessions"]["nodes"]
    [stored] = session["messages"]["nodes"]
    assert code == 1
    assert _without_notes(chat.shown).startswith(stored["content"])
    assert "colloquy: interrupted: " in chat.shown


async def test_ctrl_c_cancels_the_run_and_keeps_what_was_written(served: Served, user: str) -> None:
    async with terminal("--url", await served.address(), "--user", user, *ECHO, LONG) as chat:
        await chat.shows("word5")
        chat.type("\x03")
        code = await chat.ended()

    async with served.client(user) as client:
        query = "{ sessions { nodes { runs { nodes { status message { content } } } } } }"
        [session] = (await client.data(query))["sessions"]["nodes"]
    [run] = session["runs"]["nodes"]
    assert (code, run["status"]) == (130, "CANCELLED")
    assert run["message"]["content"].startswith("word1 word2 word3 word4 word5")
    assert run["message"]["content"] in chat.shown.replace("^C", "")


async def test_a_run_that_is_called_off_by_somebody_else_is_no_success(served: Served, user: str) -> None:
    async with (
        served.client(user) as client,
        terminal("--url", await served.address(), "--user", user, *ECHO, LONG) as chat,
    ):
        await chat.shows("word5")
        [session] = (await client.data("{ sessions { nodes { activeRun { id } } } }"))["sessions"]["nodes"]
        await client.mutate("cancelRun", "run { id }", {"runId": session["activeRun"]["id"]})
        code = await chat.ended()

    assert code == 1
    assert "colloquy: cancelled; what was written is kept\n" in chat.shown


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--session", "nonsense"), "colloquy: sessionId is not a valid id; pass an id as this API returned it\n"),
        (
            ("--user", "@"),
            "colloquy: the header X-Colloquy-User must be user or user@tenant, without spaces; correct or omit it\n",
        ),
        (("--user", "a b"), "colloquy: --user must be user or user@tenant, in ASCII and without spaces\n"),
        (
            ("--url", "ftp://x"),
            "colloquy: --url must be http:// or https:// with a host, such as http://127.0.0.1:8000, not ftp://x\n",
        ),
    ],
)
async def test_what_cannot_be_asked_is_told_in_one_line(
    served: Served, user: str, flags: tuple[str, ...], told: str
) -> None:
    printed = await piped("--url", await served.address(), *flags, "hello")

    assert printed == Printed(2, "", told)


async def test_half_a_character_is_refused_by_the_server(served: Served, user: str) -> None:
    printed = await piped("--url", await served.address(), os.fsdecode(b"a\xff"))

    assert (printed.exit_code, printed.stdout) == (2, "")
    assert printed.stderr.startswith("colloquy: input.content ")
    assert printed.stderr.count("\n") == 1


async def test_without_a_server_the_way_to_start_one_is_told() -> None:
    listener = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    listener.close()
    await listener.wait_closed()

    printed = await piped("--url", url, "hello")

    told = (
        f"colloquy: nothing answers at {url}; start a server with `colloquy serve`, or say with --url where one runs\n"
    )
    assert printed == Printed(2, "", told)


async def test_another_kind_of_server_is_told_apart(served: Served, user: str) -> None:
    url = f"{await served.address()}/health"

    printed = await piped("--url", url, "hello")

    assert printed == Printed(
        2, "", f"colloquy: what answers at {url} is no Colloquy server (status 404); name one with --url\n"
    )


async def test_a_reader_that_leaves_early_ends_it_without_a_stack(served: Served, user: str) -> None:
    command = (
        f'{{ {_shell("--url", await served.address(), "--user", user, *ECHO, LONG)}; echo "code $?" >&2; }} | head -c 5'
    )

    process = await asyncio.create_subprocess_shell(command, cwd=REPOSITORY, stdout=PIPE, stderr=PIPE)
    out, err = await asyncio.wait_for(process.communicate(), 60)

    assert out == b"word1"
    assert err == b"code 1\n"


def _without_notes(shown: str) -> str:
    return shown.replace("\n(the server is away; waiting for it)\n", "")


def _shell(*arguments: str) -> str:
    return shlex.join([sys.executable, "-c", "from app.cli import main; main()", "chat", *arguments])
