"""What ends in a conversation: an answer for another, a message, all of it; and what is taken away of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio import Path as AsyncPath
from playwright.async_api import expect
from pydantic import SecretStr

from app.asgi import create_app
from app.core.settings import load_settings
from tests.console.asking import asking
from tests.console.conftest import Tabs, violations
from tests.console.reading import titles
from tests.console.talking import ENDLESS, PACE, ask_slowly, messages, path_of, send, settled
from tests.web.server import serving


@pytest.fixture
def served_url(console_folder: Path, dsn: str) -> Iterator[str]:
    """The real server, whose models take their time."""
    settings = load_settings(database_url=SecretStr(dsn), local_words_per_second=PACE)
    with serving(create_app(settings)) as url:
        yield url


async def test_answer_is_stopped_for_what_is_said_instead(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session = (await ask_slowly(client, ENDLESS))["session"]["id"]
        page = (await tabs.open(f"/chat/{session}")).page
        await expect(messages(page, "Assistant").get_by_text("word9")).to_be_visible()
        await send(page, "rather this")
        await page.get_by_role("button", name="Stop it and send").click()

        await expect(messages(page)).to_have_count(4)
        await expect(messages(page).nth(3).get_by_text("rather this", exact=True)).to_be_visible()
        await settled(page)
        [_, (_, stopped), *then] = await path_of(client, session)
    assert ENDLESS.startswith(stopped)
    assert len(stopped) < len(ENDLESS)
    assert then == [("USER", "rather this"), ("ASSISTANT", "rather this")]


async def test_deleted_message_leaves_its_place(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session = (await ask_slowly(client, "a secret"))["session"]["id"]
        first = (await tabs.open(f"/chat/{session}")).page
        second = (await tabs.open(f"/chat/{session}")).page
        await settled(first)
        await messages(first, "You").get_by_role("button", name="Delete").click()
        dialog = first.get_by_role("dialog", name="Delete this message?")
        assert await violations(first) == []
        await dialog.get_by_role("button", name="Delete").click()

        for page in (first, second):
            await expect(messages(page, "You").get_by_text("a secret")).to_have_count(0)
            await expect(messages(page)).to_have_count(2)
        assert await path_of(client, session) == [("USER", ""), ("ASSISTANT", "a secret")]
        assert await violations(first) == []


async def test_conversation_is_exported_forked_and_deleted_by_its_menu(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session = (await ask_slowly(client, "two words"))["session"]["id"]
        page = (await tabs.open(f"/chat/{session}")).page
        watching = (await tabs.open(f"/chat/{session}")).page
        await settled(page)
        await expect(page.get_by_role("log").get_by_text("two words")).to_have_count(2)

        async def chosen(entry: str) -> None:
            await page.get_by_role("button", name="More about this conversation").click()
            await page.get_by_role("menuitem", name=entry).click()

        files: dict[str, str] = {}
        for entry, ending in (("Export as Markdown", ".md"), ("Export as JSON lines", ".jsonl")):
            async with page.expect_download() as downloaded:
                await chosen(entry)
            file = await downloaded.value
            assert file.suggested_filename == f"two words{ending}"
            files[ending] = await AsyncPath(await file.path()).read_text()
        assert files[".md"].count("two words") >= 2
        assert "two words" in json.dumps([json.loads(line) for line in files[".jsonl"].splitlines()])

        await chosen("Fork")
        await page.wait_for_url(lambda url: not url.endswith(session))
        await expect(messages(page)).to_have_count(2)
        await page.goto(f"{tabs.url}/chat/{session}")
        await expect(messages(page)).to_have_count(2)
        await chosen("Delete")
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()

        await page.wait_for_url(lambda url: session not in url)
        await expect(watching.get_by_role("heading", name="This conversation was deleted")).to_be_visible()
        assert len(await titles(client)) == 1
