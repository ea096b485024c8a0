"""`colloquy chat`: a prompt, commands, and sessions that are gone on with."""

import pytest

from tests.chat.conftest import LONG
from tests.chat.terminal import Printed, piped, terminal
from tests.processes import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")

ECHO = ("--model", "local:echo")


async def test_lines_are_answered_one_after_the_other_in_one_session(served: Served, user: str) -> None:
    async with terminal("--url", await served.address(), "--user", user, *ECHO) as chat:
        await chat.shows("> ")
        chat.type("first 漢字\n")
        await chat.shows("first 漢字\nfirst 漢字\n> ")
        chat.type("\n")
        await chat.shows("> ")
        chat.type("second\n")
        await chat.shows("second\nsecond\n> ")
        chat.type("\x04")
        code = await chat.ended()

    async with served.client(user) as client:
        found = await client.data("{ sessions { nodes { id messageCount } } }")
    [session] = found["sessions"]["nodes"]
    assert (code, session["messageCount"]) == (0, 4)
    assert f"--session {session['id']}" in chat.shown


async def test_ctrl_c_stops_an_answer_and_ends_the_chat_at_the_prompt(served: Served, user: str) -> None:
    async with terminal("--url", await served.address(), "--user", user, *ECHO) as chat:
        await chat.shows("> ")
        chat.type(f"{LONG}\n")
        await chat.shows("word40")
        await chat.shows("word3")
        chat.type("\x03")
        await chat.shows("(cancelled; what was written is kept)\n> ")
        chat.type("/retry\n")
        await chat.shows(f"/retry\n{LONG[:20]}")
        await chat.shows("word40\n> ")
        code = await chat.ends_by("\x03")

    assert code == 130
    assert "Traceback" not in chat.shown


async def test_a_session_is_gone_on_with_and_its_last_turns_are_shown(served: Served, user: str) -> None:
    async with served.client(user) as client:
        session = await client.create_session(title="Earlier")
        await client.say(session, "what was\x1b[31m said")
        await client.reply(session, "and answered")

    async with terminal("--url", await served.address(), "--user", user, "--session", session, *ECHO) as chat:
        await chat.shows("> what was\ufffd[31m said\nand answered\n> ")
        chat.type("/retry\n")
        await chat.shows("nothing was asked yet\n> ")
        chat.type("hello\n")
        await chat.shows("hello\nhello\n> ")
        chat.type("/quit\n")
        code = await chat.ended()

    assert code == 0


async def test_an_answer_that_is_being_written_is_shown_to_its_end(served: Served, user: str) -> None:
    async with served.client(user) as client:
        sent = await client.mutate("sendMessage", "session { id }", {"content": LONG, "model": "local:echo"})

        async with terminal(
            "--url", await served.address(), "--user", user, "--session", sent["session"]["id"]
        ) as chat:
            await chat.shows(f"> {LONG}\n")
            await chat.shows(f"{LONG}\n> ")
            chat.type("\x04")
            code = await chat.ended()

    assert code == 0
    assert chat.shown.count("word40") == 2


async def test_the_models_to_choose_from_are_listed(served: Served, user: str) -> None:
    printed = await piped("--url", await served.address(), "--user", user, lines="/model\n")

    assert printed == Printed(0, "", "local:extractive\nlocal:echo\n")


async def test_lines_can_come_from_a_pipe(served: Served, user: str) -> None:
    lines = "one\n\n/nonsense\n/retry\n/model nobody:nothing\ntwo\n"

    printed = await piped("--url", await served.address(), "--user", user, *ECHO, lines=lines)

    assert (printed.exit_code, printed.stdout) == (0, "one\none\n")
    nonsense, nobody = printed.stderr.splitlines()
    assert nonsense == "there is no /nonsense; /help lists what there is"
    assert "nobody" in nobody


async def test_what_a_file_gets_is_the_answer_as_the_model_gave_it(served: Served, user: str) -> None:
    printed = await piped("--url", await served.address(), "--user", user, *ECHO, lines=" /etc is \x1b[1ma folder\n")

    assert printed == Printed(0, " /etc is \x1b[1ma folder\n", "")


async def test_a_session_can_be_gone_on_with_from_a_pipe(served: Served, user: str) -> None:
    url = await served.address()
    async with served.client(user) as client:
        session = await client.create_session(title="Earlier")
        await piped("--url", url, "--user", user, "--session", session, *ECHO, "one")

        printed = await piped(
            "--url", url, "--user", user, "--session", session, *ECHO, lines="/retry\n/help\n/quit\nnever\n"
        )

    assert (printed.exit_code, printed.stdout) == (0, "one\n")
    assert printed.stderr.startswith("> one\none\n/retry ")


async def test_an_answer_that_was_called_off_is_asked_again(served: Served, user: str) -> None:
    url = await served.address()
    async with served.client(user) as client:
        sent = await client.mutate("sendMessage", "session { id } run { id }", {"content": LONG, "model": "local:echo"})
        await client.mutate("cancelRun", "run { id }", {"runId": sent["run"]["id"]})

    printed = await piped("--url", url, "--user", user, "--session", sent["session"]["id"], lines="/retry\n")

    assert (printed.exit_code, printed.stdout) == (0, f"{LONG}\n")
    assert printed.stderr.endswith("(cancelled)\n")
