"""What stands around every page of the console: ways to go, keys, the theme, the focus, and what is not there."""

import re

import pytest
from playwright.async_api import Page, Route, expect

from app.pages.console import PAGES
from tests.console.conftest import Tabs, violations

PHONE_WIDTH = 360

PLACES = {
    "Chat": ("/chat", "g c"),
    "Approvals": ("/approvals", "g a"),
    "Workflow": ("/workflow", "g w"),
    "Prompts": ("/prompts", "g p"),
    "Figures": ("/figures", "g f"),
    "API keys": ("/keys", "g k"),
    "Audit trail": ("/audit", "g t"),
}


def at(path: str) -> re.Pattern[str]:
    """The address of a page, whatever it is asked for besides."""
    return re.compile(rf"^http://[^/]+{re.escape(path)}(\?.*)?$")


async def press(page: Page, keys: str) -> None:
    """Press keys one after the other."""
    for key in keys.split(" "):
        await page.keyboard.press(key)


@pytest.mark.parametrize("width", [1_280, PHONE_WIDTH])
async def test_every_page_opens_by_its_link_also_where_there_is_nothing_yet(tabs: Tabs, width: int) -> None:
    page = (await tabs.open("/", width=width)).page

    for name in PAGES:
        await page.goto(f"{tabs.url}/{name}")
        await page.get_by_role("heading", level=1).wait_for()
        await expect(page.get_by_role("main")).to_have_count(1)
        await expect(page).to_have_title(re.compile(r" · Colloquy$"))
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, name
        assert await violations(page) == [], name


async def test_first_page_is_the_conversations(tabs: Tabs) -> None:
    seen = await tabs.open("/")

    await expect(seen.page).to_have_url(at("/chat"))


@pytest.mark.parametrize("path", ["/keys/nowhere", "/audit/x/y"])
async def test_unknown_page_leads_on(tabs: Tabs, path: str) -> None:
    seen = await tabs.open(path)

    await seen.page.get_by_role("heading", name="There is no such page").wait_for()
    await seen.page.get_by_role("button", name="To the conversations").click()
    await expect(seen.page).to_have_url(at("/chat"))


async def test_places_are_gone_to_by_links_and_by_keys(tabs: Tabs) -> None:
    page = (await tabs.open("/keys")).page
    nav = page.get_by_role("navigation", name="Main")

    for label, (path, keys) in PLACES.items():
        await nav.get_by_role("link", name=label).click()
        await expect(page).to_have_url(at(path))
        await expect(nav.get_by_role("link", name=label)).to_have_attribute("aria-current", "page")
        # Where a page has one write at once, as the chat does, keys are for the text until one leaves it.
        await page.get_by_role("heading", level=1).wait_for(state="attached")
        await page.keyboard.press("Escape")
        await press(page, "g k" if path != "/keys" else "g t")
        await expect(page).not_to_have_url(at(path))
        await press(page, keys)
        await expect(page).to_have_url(at(path))


async def test_keys_are_shown_and_leave_those_alone_who_type(tabs: Tabs) -> None:
    page = (await tabs.open("/audit")).page
    await page.get_by_role("heading", name="Audit trail").wait_for()

    await page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    lines = await sheet.locator("dl > div").all_inner_texts()
    assert await violations(page) == []
    # Under a dialog nobody goes anywhere.
    await press(page, "g c")
    await page.keyboard.press("Escape")
    await expect(sheet).to_have_count(0)
    field = page.get_by_role("textbox", name="Done by")
    await field.press_sequentially("gcnp?/")
    await expect(field).to_have_value("gcnp?/")
    await page.keyboard.press("Escape")
    await expect(field).not_to_be_focused()

    told = {" ".join(line.split()) for line in lines}
    assert {f"Go to {label} {keys.replace(' ', ' then ')}" for label, (_, keys) in PLACES.items()} <= told
    assert {"Search /", "New conversation n", "Show the keys ?"} <= told
    await expect(page).to_have_url(at("/audit"))


async def test_slash_leads_to_the_search_of_the_page(tabs: Tabs) -> None:
    page = (await tabs.open("/audit")).page
    await page.get_by_role("heading", name="Audit trail").wait_for()

    await page.keyboard.press("/")

    await expect(page.get_by_role("search").get_by_role("textbox").first).to_be_focused()


async def test_theme_is_chosen_and_kept(tabs: Tabs) -> None:
    seen = await tabs.open("/keys")
    page = seen.page
    await page.emulate_media(color_scheme="light")
    assert await _background(page) == "rgb(255, 255, 255)"

    await page.get_by_role("button", name="Account of alice").click()
    menu = page.get_by_role("dialog", name="alice")
    await expect(menu.get_by_text("editor, member, reviewer")).to_be_visible()
    assert await violations(page, "[role=dialog]") == []
    # The radio itself is in sight for nobody: its label is what is pressed.
    await menu.get_by_text("Dark", exact=True).click()
    assert await _background(page) == "rgb(20, 22, 26)"
    another = (await tabs.another(seen, "/audit")).page
    await another.get_by_role("heading", name="Audit trail").wait_for()
    await menu.get_by_text("System", exact=True).click()

    # The other tab follows.
    await expect(another.locator("html")).not_to_have_attribute("data-theme", "dark")
    assert await _background(page) == "rgb(255, 255, 255)"
    await page.emulate_media(color_scheme="dark")
    assert await _background(page) == "rgb(20, 22, 26)"


async def _background(page: Page) -> str:
    return str(await page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))


@pytest.mark.parametrize("scheme", ["dark", "light"])
async def test_colours_have_contrast_in_each_theme(tabs: Tabs, scheme: str) -> None:
    page = (await tabs.open("/keys")).page
    await page.evaluate("theme => localStorage.setItem('colloquy.theme', theme)", scheme)
    await page.reload()

    await page.get_by_role("heading", name="API keys").wait_for()
    await page.get_by_role("button", name="New key").click()
    await page.get_by_role("dialog", name="New key").wait_for()

    assert await page.locator("html").get_attribute("data-theme") == scheme
    assert await violations(page) == []


async def test_everything_around_a_page_is_reached_by_the_keyboard(tabs: Tabs) -> None:
    page = (await tabs.open("/keys")).page
    await page.get_by_role("button", name="Account of alice").wait_for()

    reached = []
    for _ in range(12):
        await page.keyboard.press("Tab")
        reached.append(
            await page.evaluate(
                "document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText.trim()"
            )
        )

    assert reached[:11] == ["Skip to content", *PLACES, "Playground", "Account of alice", "New key"]


async def test_link_skips_what_stands_around(tabs: Tabs) -> None:
    page = (await tabs.open("/keys")).page
    await page.get_by_role("heading", name="API keys").wait_for()

    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    await page.keyboard.press("Tab")

    await expect(page.get_by_role("button", name="New key")).to_be_focused()
    await expect(page).to_have_url(at("/keys"))


async def test_focus_and_title_follow_to_another_page(tabs: Tabs) -> None:
    page = (await tabs.open("/keys")).page
    await page.get_by_role("heading", name="API keys").wait_for()

    await page.get_by_role("navigation").get_by_role("link", name="Audit trail").press("Enter")

    await expect(page.get_by_role("heading", name="Audit trail", level=1)).to_be_focused()
    await expect(page).to_have_title("Audit trail · Colloquy")
    await expect(page.locator("[aria-live=polite]").get_by_text("Audit trail · Colloquy")).to_have_count(1)


async def test_phone_leads_everywhere(tabs: Tabs) -> None:
    page = (await tabs.open("/keys", width=PHONE_WIDTH, height=740)).page

    for label in ("Prompts", "Figures", "API keys", "Audit trail"):
        await page.get_by_role("button", name="More", exact=True).click()
        await page.get_by_role("menuitem", name=label).click()
        await expect(page).to_have_url(at(PLACES[label][0]))
    for label in ("Chat", "Approvals", "Workflow"):
        await page.get_by_role("navigation").get_by_role("link", name=label).click()
        await expect(page).to_have_url(at(PLACES[label][0]))


async def _not_found(route: Route) -> None:
    await route.fulfill(status=404, body="Not Found")


async def test_part_of_an_old_release_is_told_and_the_page_reloads(tabs: Tabs) -> None:
    seen = await tabs.open("/keys")
    page = seen.page
    await page.get_by_role("heading", name="API keys").wait_for()

    await page.route("**/assets/AuditPage-*.js", _not_found)
    await page.get_by_role("link", name="Audit trail").click()
    await page.get_by_role("heading", name="This page could not be loaded").wait_for()
    assert await violations(page) == []
    await page.unroute("**/assets/AuditPage-*.js")
    await page.get_by_role("button", name="Reload").click()

    await page.get_by_role("heading", name="Audit trail").wait_for()
    # The browser tells of what was missing, and nothing else is wrong.
    assert [said for said in seen.complaints if not re.search("404|AuditPage", said)] == []
    seen.complaints.clear()
