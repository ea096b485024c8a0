"""A message that a search found is brought into sight, wherever in its conversation it is."""

from playwright.async_api import expect

from tests.client import GraphQLClient
from tests.console.asking import asking
from tests.console.conftest import Tabs, violations
from tests.console.reading import pane
from tests.console.talking import messages


async def _long(client: GraphQLClient) -> str:
    """A session whose window is far from its beginning."""
    session = await client.create_session(title="Long")
    for number in range(1, 251):
        await client.say(session, f"message number {number}" + (" about the tortoise" if number == 3 else ""))
    return session


async def test_what_was_found_is_shown_with_all_that_follows(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session = await _long(client)
    page = (await tabs.open(f"/chat/{session}")).page
    found = messages(page).filter(has_text="about the tortoise")
    await expect(page.get_by_text("message number 250", exact=True)).to_be_in_viewport()
    await expect(found).to_have_count(0)

    await page.get_by_role("searchbox", name="Search conversations").fill("tortoise")
    await pane(page).get_by_role("list", name="Messages").get_by_role("link").click()

    await expect(found).to_be_in_viewport()
    await expect(found).to_be_focused()
    assert await violations(page) == []
    # From there on one reads as one likes; the same link leads back.
    await page.get_by_role("button", name="To the newest").click()
    await expect(found).not_to_be_in_viewport()
    await pane(page).get_by_role("list", name="Messages").get_by_role("link").click()
    await expect(found).to_be_in_viewport()


async def test_link_to_a_message_opens_there(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session = await client.create_session()
        said = [(await client.say(session, f"remark {number}"))["message"]["id"] for number in range(1, 61)]
    page = (await tabs.open(f"/chat/{session}?message={said[9]}")).page

    await expect(page.get_by_text("remark 10", exact=True)).to_be_in_viewport()
    await expect(page.get_by_text("remark 60", exact=True)).not_to_be_in_viewport()


async def test_message_of_another_version_is_told_and_shown(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session = await client.create_session()
        first = (await client.say(session, "asked at first"))["message"]["id"]
        edited = {"messageId": first, "content": "asked otherwise"}
        await client.mutate("editMessage", "message { id }", edited)
        page = (await tabs.open(f"/chat/{session}?message={first}")).page
        await expect(messages(page).get_by_text("asked otherwise")).to_be_visible()
        told = page.get_by_role("status").filter(has_text="another version")
        await expect(told).to_be_visible()
        assert await violations(page) == []

        await told.get_by_role("button", name="Show that version").click()

        await expect(messages(page).filter(has_text="asked at first")).to_be_focused()
        await expect(told).to_have_count(0)
