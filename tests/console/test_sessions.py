"""The list of conversations: what it shows, how one finds a conversation in it, and what can be done with one."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect
from pydantic import SecretStr

from app.asgi import create_app
from app.core.settings import load_settings
from tests.console.asking import asking
from tests.console.conftest import Tabs, violations
from tests.console.reading import choose, create, create_many, listed, pane, rows, sessions, titles
from tests.web.server import serving

_WORDS_PER_SECOND = 40.0


@pytest.fixture
def served_url(console_folder: Path, dsn: str) -> Iterator[str]:
    """The real server, whose models take their time."""
    settings = load_settings(database_url=SecretStr(dsn), local_words_per_second=_WORDS_PER_SECOND)
    with serving(create_app(settings)) as url:
        yield url


async def test_list_is_what_the_api_lists_and_leads_to_each(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        await create(client, ["First", "Second", "Third"])
        await client.create_session(title="Fourth", status="PAUSED", tags=["travel", "rail"])
        expected = await titles(client)
    page = (await tabs.open("/chat")).page

    found = await listed(page, expected)

    assert expected == ["Fourth", "Third", "Second", "First"]
    await expect(found[0]).to_contain_text("Paused#travel #rail")
    assert await violations(page) == []
    await found[1].click()
    await expect(page).to_have_url(re.compile("/chat/."))
    await expect(page.get_by_role("heading", name="Third")).to_be_visible()
    await expect(found[1]).to_have_attribute("aria-current", "page")
    await found[1].press("ArrowDown")
    await expect(found[2]).to_be_focused()
    assert await violations(page) == []


async def test_more_come_as_one_scrolls(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        await client.create_session(title="The oldest")
        await create_many(client, 230)
    page = (await tabs.open("/chat")).page
    await rows(page).first.hover()

    oldest = rows(page).filter(has_text="The oldest")
    for _ in range(200):
        if await oldest.count() > 0:
            break
        await page.mouse.wheel(0, 2_000)
        await page.evaluate("new Promise(requestAnimationFrame)")

    await expect(oldest).to_be_visible()


async def test_no_conversations_and_what_to_do(tabs: Tabs) -> None:
    page = (await tabs.open("/chat")).page

    await expect(page.get_by_role("heading", name="No conversations yet")).to_be_visible()
    assert await violations(page) == []


async def test_search_finds_conversations_and_messages(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        named, other = await create(client, ["Night train to Lisbon", "Something else"])
        await client.say(named, "nothing of it")
        message = (await client.say(other, "There is a **night train** at ten."))["message"]["id"]
    page = (await tabs.open("/chat")).page
    box = page.get_by_role("searchbox", name="Search conversations")

    await box.press_sequentially("night tra")

    await expect(rows(page)).to_have_count(2)
    await expect(rows(page).filter(has_text="Night train to Lisbon")).to_be_visible()
    hits = pane(page).get_by_role("list", name="Messages").get_by_role("link")
    await expect(hits.locator("mark")).to_have_text(["night", "tra"])
    assert await violations(page) == []
    await hits.click()
    await expect(page.get_by_role("heading", name="Something else")).to_be_visible()
    await page.wait_for_url(lambda url: f"message={message}" in url.replace("%3D", "="))

    await box.fill("zebra")
    await expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    await box.press("Escape")
    await listed(page, ["Something else", "Night train to Lisbon"])


async def test_filter_is_kept_in_the_address(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        await create(client, ["Plain"])
        await create(client, ["Both", "Later"], tags=["rail", "travel"])
        await create(client, ["Old"], tags=["rail"], status="ARCHIVED")
    page = (await tabs.open("/chat")).page
    await listed(page, ["Old", "Later", "Both", "Plain"])

    await page.get_by_role("button", name="Filter").click()
    await page.get_by_role("checkbox", name="Active").check()
    tags = page.get_by_role("textbox", name="With all of these tags")
    await tags.fill("rail")
    await tags.press("Enter")
    assert await violations(page) == []
    await page.keyboard.press("Escape")

    await listed(page, ["Later", "Both"])
    assert page.url.endswith("/chat?status=ACTIVE&tag=rail")
    await page.reload()
    await listed(page, ["Later", "Both"])
    await rows(page).first.click()
    await page.wait_for_url(lambda url: url.endswith("?status=ACTIVE&tag=rail"))
    await pane(page).get_by_role("button", name="Remove Active").click()
    await listed(page, ["Old", "Later", "Both"])
    await pane(page).get_by_role("button", name="Remove rail").click()
    await listed(page, ["Old", "Later", "Both", "Plain"])


async def test_edited_conversation_is_stored_and_stands_first(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        await create(client, ["Draft"], tags=["old"])
        await create(client, ["Other"])
        page = (await tabs.open("/chat")).page
        await listed(page, ["Other", "Draft"])

        await choose(page, "Draft", "Edit…")
        await page.get_by_role("textbox", name="Title").fill("Final")
        await page.get_by_role("button", name="Status").click()
        await page.get_by_role("option", name="Completed").click()
        await page.get_by_role("textbox", name="Tags").fill("new, and")
        await page.get_by_role("textbox", name="Tags").press("Enter")
        await page.get_by_role("button", name="Remove old").click()
        assert await violations(page) == []
        await page.get_by_role("button", name="Save").click()

        await listed(page, ["Final", "Other"])
        await expect(rows(page).first).to_contain_text("Completed#new, and")
        stored = (await sessions(client))[0]
        assert (stored["title"], stored["status"], stored["metadata"]) == ("Final", "COMPLETED", {"tags": ["new, and"]})


async def test_archived_conversation_leaves_the_list_of_active_ones(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        await create(client, ["One", "Two"])
        page = (await tabs.open("/chat?status=ACTIVE")).page

        await choose(page, "One", "Archive")

        await listed(page, ["Two"])
        assert await titles(client, status=["ARCHIVED"]) == ["One"]


async def test_deleted_conversation_is_gone_after_a_question(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        [gone, _] = await create(client, ["Gone", "Kept"])
        page = (await tabs.open(f"/chat/{gone}")).page

        await choose(page, "Gone", "Delete…")
        await page.get_by_role("button", name="Cancel").click()
        await choose(page, "Gone", "Delete…")
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()

        await listed(page, ["Kept"])
        await page.wait_for_url(lambda url: url.endswith("/chat"))
        assert await titles(client) == ["Kept"]


async def test_changes_of_another_tab_are_there_when_one_comes_back(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        await create(client, ["One", "Two"])
        page = (await tabs.open("/chat")).page
        await listed(page, ["Two", "One"])
        await create(client, ["Three"])

        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

        await listed(page, ["Three", "Two", "One"])


async def test_answer_that_is_being_written_shows_in_the_list(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        [session] = await create(client, ["Slow"])
        page = (await tabs.open("/chat")).page
        await listed(page, ["Slow"])

        sent = {"sessionId": session, "content": "word " * 300, "model": "local:echo"}
        await client.mutate("sendMessage", "run { id }", sent)
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

        await expect(rows(page).first).to_contain_text("Answering…")
        await expect(rows(page).first).not_to_contain_text("Answering…", timeout=30_000)

        found = await client.data("query ($id: ID!) { session(id: $id) { activeRun { id } } }", {"id": session})
        assert found["session"]["activeRun"] is None


async def test_phone_shows_the_list_or_one_conversation(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        await create(client, ["On the way"])
    page = (await tabs.open("/chat", width=360, height=740)).page

    await expect(rows(page)).to_have_count(1)
    await expect(page.get_by_role("link", name="Conversations")).to_be_hidden()
    assert await violations(page) == []
    await rows(page).first.click()
    await expect(page.get_by_role("heading", name="On the way")).to_be_visible()
    await expect(pane(page)).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    assert await violations(page) == []
    await page.get_by_role("link", name="Conversations").click()
    await expect(pane(page)).to_be_visible()
