"""What is shown of an answer is what is stored, whatever breaks while it is written."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import expect
from pydantic import SecretStr

from app.asgi import create_app
from app.core.settings import load_settings
from benchmarks.chromium import launched
from tests.console.asking import asking
from tests.console.conftest import Tabs
from tests.console.talking import (
    ENDLESS,
    LONG,
    PACE,
    ask_slowly,
    conversation,
    messages,
    path_of,
    send,
    settled,
    shows,
    stop,
)
from tests.processes import Served
from tests.processes import serving as process
from tests.web.server import serving


@pytest.fixture
def served_url(console_folder: Path, dsn: str) -> Iterator[str]:
    """The real server, whose models take their time."""
    settings = load_settings(database_url=SecretStr(dsn), local_words_per_second=PACE)
    with serving(create_app(settings)) as url:
        yield url


async def test_page_that_is_reloaded_goes_on_with_the_answer_where_it_is(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session_id = (await ask_slowly(client))["session"]["id"]
        page = (await tabs.open(f"/chat/{session_id}")).page
        await expect(messages(page, "Assistant").get_by_text("word9")).to_be_visible()

        await page.reload()

        # All of it from the first word on, and no word twice, while the rest is still to come.
        answer = messages(page, "Assistant")
        await expect(answer.get_by_text("word1 word2 word3")).to_be_visible()
        await expect(stop(page)).to_be_visible()
        await settled(page)
        await shows(page, [("USER", LONG), ("ASSISTANT", LONG)])
        assert await path_of(client, session_id) == [("USER", LONG), ("ASSISTANT", LONG)]


async def test_two_tabs_of_a_session_stay_in_step(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session_id = (await ask_slowly(client, "one"))["session"]["id"]
        here = await tabs.open(f"/chat/{session_id}")
        there = (await tabs.another(here, f"/chat/{session_id}")).page
        await shows(there, [("USER", "one"), ("ASSISTANT", "one")])

        await send(here.page, LONG)
        await expect(messages(there)).to_have_count(4)
        await expect(messages(there).nth(3).get_by_text("word9")).to_be_visible()
        await stop(there).click()
        await settled(here.page)
        await settled(there)
        stored = await path_of(client, session_id)
        assert 0 < len(stored[3][1]) < len(LONG)
        await shows(here.page, stored)
        await shows(there, stored)

        await messages(there).first.get_by_role("button", name="Edit").click()
        await there.get_by_role("textbox", name="Edit the message").fill("another")
        await there.get_by_role("button", name="Ask again").click()
        await shows(here.page, [("USER", "another"), ("ASSISTANT", "another")])
        await expect(messages(here.page, "You").get_by_text("2/2")).to_be_visible()
        await messages(here.page, "You").get_by_role("button", name="Previous version").click()
        await shows(there, stored)

        await client.mutate("updateSession", "session { id }", {"sessionId": session_id, "title": "Renamed"})
        await expect(there.get_by_role("heading", name="Renamed")).to_be_visible()
        await expect(here.page.get_by_role("heading", name="Renamed")).to_be_visible()


async def test_call_that_is_approved_elsewhere_goes_on_here(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        asked = await ask_slowly(
            client,
            "Tell me current_time",
            model="local:extractive",
            tools=[{"name": "current_time", "requiresApproval": True}],
        )
        session_id = asked["session"]["id"]
        page = (await tabs.open(f"/chat/{session_id}")).page
        await expect(page.get_by_role("group", name="Call of current_time")).to_contain_text("Awaits approval")

        pending = await client.data("{ pendingApprovals(first: 2) { nodes { id } } }")
        [awaiting] = pending["pendingApprovals"]["nodes"]
        await client.mutate(
            "decideToolExecution", "toolExecution { id }", {"toolExecutionId": awaiting["id"], "approve": True}
        )

        await expect(page.get_by_role("group", name="Call of current_time")).to_contain_text("Done")
        await expect(messages(page, "Assistant")).to_have_count(2)
        await settled(page)
        said = (await path_of(client, session_id))[-1][1]
        await expect(messages(page, "Assistant").last).to_contain_text(said.split("\n", maxsplit=1)[0])


async def test_answer_of_a_killed_server_is_shown_as_stored_and_tried_again(
    chromium: str, console_folder: Path, dsn: str, tmp_path: Path
) -> None:
    port = _free_port()
    async with launched(chromium) as browser:
        async with _server(tmp_path, dsn, port) as first:
            address = await first.address()
            async with asking(address) as client:
                session_id = (await ask_slowly(client, ENDLESS))["session"]["id"]
            page = (await Tabs(browser, address).open(f"/chat/{session_id}")).page
            answer = messages(page, "Assistant")
            await expect(answer.get_by_text("word9")).to_be_visible()
            await first.kill()
            await expect(page.get_by_text("Reconnecting")).to_be_visible()
            await expect(answer.get_by_text("word9")).to_be_visible()

        async with _server(tmp_path, dsn, port) as second, asking(await second.address()) as client:
            await expect(answer.get_by_text("the server stopped in the middle of the answer")).to_be_visible(
                timeout=60_000
            )
            [_, node] = (await conversation(client, session_id))["activePath"]["nodes"]
            assert node["run"]["status"] == "INTERRUPTED"
            assert ENDLESS.startswith(node["content"])
            assert len(node["content"]) < len(ENDLESS)
            await shows(page, [("USER", ENDLESS), ("ASSISTANT", node["content"])])
            await settled(page)

            await page.get_by_role("button", name="Try again").click()
            await expect(answer.get_by_text("word9")).to_be_visible()
            await stop(page).click()
            await expect(answer.get_by_text("2/2")).to_be_visible()
            await settled(page)
            await shows(page, await path_of(client, session_id))


@asynccontextmanager
async def _server(folder: Path, dsn: str, port: int) -> AsyncIterator[Served]:
    async with process(folder, "--port", port, DATABASE_URL=dsn, COLLOQUY_LOCAL_WORDS_PER_SECOND=str(PACE)) as served:
        yield served


def _free_port() -> int:
    """A port that a server can be given again after it was killed: the page knows no other."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
