"""What is done with the console by who has no mouse: each step by keys alone."""

from playwright.async_api import Page, expect

from tests.console.asking import asking, requested
from tests.console.conftest import Tabs
from tests.console.reading import titles
from tests.console.talking import began, messages, path_of, settled

MOST_STEPS = 60
"""Presses of Tab from anywhere to anything on a page."""

_FOCUSED = """(() => { const on = document.activeElement;
  return on.getAttribute("aria-label") ?? on.labels?.[0]?.textContent ?? on.textContent.trim(); })()"""


async def _go_to(page: Page, name: str, key: str = "Tab") -> None:
    """Press Tab, or Shift+Tab, until what has this name has the focus."""
    # What is fetched may come later than what is waited for before.
    there = page.get_by_label(name, exact=True).or_(page.get_by_role("button", name=name, exact=True))
    await expect(there.first).to_be_visible()
    passed = []
    for _ in range(MOST_STEPS):
        await page.keyboard.press(key)
        passed.append(await page.evaluate(_FOCUSED))
        if passed[-1] == name:
            return
    raise AssertionError(f"no {name!r} among {passed}")


async def _choose(page: Page, *keys: str) -> None:
    for key in keys:
        await page.keyboard.press(key)


async def test_conversation_is_led_by_keys(tabs: Tabs) -> None:
    page = (await tabs.open("/keys")).page
    await page.get_by_role("heading", name="API keys").wait_for()
    await _choose(page, "n")
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    await page.keyboard.type("What is said first?")
    await page.keyboard.press("Enter")
    session = await began(page)
    # While it is being written nothing else can be asked.
    await expect(messages(page, "Assistant").get_by_role("button", name="Regenerate")).to_be_visible()
    await settled(page)

    await _go_to(page, "Edit", "Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="Edit the message")).to_be_focused()
    await page.keyboard.press("Control+A")
    await page.keyboard.type("What is said instead?")
    await _go_to(page, "Ask again")
    await page.keyboard.press("Enter")
    await expect(messages(page, "You").get_by_text("2/2")).to_be_visible()
    await settled(page)
    async with asking(tabs.url) as client:
        assert (await path_of(client, session))[0] == ("USER", "What is said instead?")
    await page.get_by_role("textbox", name="Message").focus()
    await _go_to(page, "Previous version", "Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(messages(page, "You").get_by_text("What is said first?", exact=True)).to_be_visible()

    await page.get_by_role("textbox", name="Message").focus()
    await _go_to(page, "More about this conversation", "Shift+Tab")
    await _choose(page, "Enter", "End", "Enter")
    dialog = page.get_by_role("dialog", name="Delete this conversation?")
    await dialog.wait_for()
    await _go_to(page, "Delete")
    await page.keyboard.press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(page.get_by_role("heading", name="No conversations yet")).to_be_visible()


async def test_list_is_gone_through_filtered_and_filed_by_keys(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        for title in ("First", "Second", "Third"):
            await client.create_session(title=title)
        page = (await tabs.open("/chat")).page
        await page.get_by_role("link", name="Third").wait_for()
        await page.get_by_role("link", name="Third").focus()
        await _choose(page, "ArrowDown")
        await expect(page.get_by_role("link", name="Second")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Second")).to_be_visible()

        await page.get_by_role("link", name="Second").focus()
        await _go_to(page, "Actions for Second")
        await _choose(page, "Enter", "ArrowDown", "Enter")
        await expect(page.get_by_text("Archived")).to_be_visible()
        assert await titles(client, status=["ARCHIVED"]) == ["Second"]

        await page.get_by_role("searchbox", name="Search conversations").focus()
        await _go_to(page, "Filter")
        await page.keyboard.press("Enter")
        await _go_to(page, "Archived")
        await _choose(page, "Space", "Escape")
        await expect(page.get_by_role("link", name="First")).to_have_count(0)
        await expect(page.get_by_role("link", name="Second")).to_be_visible()


async def test_call_is_rejected_by_keys(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        await requested(client, await client.create_session(), "book_train")
        page = (await tabs.open("/keys")).page
        await page.get_by_role("heading", name="API keys").wait_for()
        await _choose(page, "g", "a")
        await page.get_by_role("article", name="book_train").wait_for()
        await _go_to(page, "Comment on book_train")
        await page.keyboard.type("too dear")
        await _go_to(page, "Reject")
        await page.keyboard.press("Enter")

        await expect(page.get_by_role("heading", name="No tool awaits your approval")).to_be_visible()


async def test_project_is_made_and_its_first_stage_decided_by_keys(tabs: Tabs) -> None:
    page = (await tabs.open("/workflow")).page
    await page.get_by_role("heading", name="There is no project yet").wait_for()
    await _go_to(page, "New project")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    await page.keyboard.type("Speiche")
    await page.keyboard.press("Tab")
    await page.keyboard.type("A shop for bicycles that repairs them, too.")
    await _go_to(page, "Create project")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Speiche")
    await _go_to(page, "Generate")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Approve", exact=True).wait_for()
    await _go_to(page, "Approve")
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("navigation", name="Stages").get_by_role("link").first).to_contain_text("Approved")
