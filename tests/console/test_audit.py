"""The audit trail: what it shows is what the API answers, whole, filtered, and fact by fact."""

import json
import re
from collections.abc import AsyncIterator

import httpx2
import pytest
from playwright.async_api import Locator, Page, expect

from tests.client import GraphQLClient
from tests.console.conftest import Tabs, violations

EVENTS = """query ($filter: AuditEventFilter) { auditEvents(filter: $filter, first: 100) {
    nodes { seq kind sessionId payload actor correlationId } } }"""


@pytest.fixture
async def client(served_url: str) -> AsyncIterator[GraphQLClient]:
    """Asks the server that the pages are of, as alice."""
    async with httpx2.AsyncClient(base_url=served_url, headers={"X-Colloquy-User": "alice"}) as http:
        yield GraphQLClient(http)


def event(page: Page, kind: str, seq: int) -> Locator:
    """A line of the trail."""
    return page.get_by_role("article", name=f"{kind}, number {seq}", exact=True)


def shown_as(event: dict[str, str]) -> str:
    """How the trail calls an event."""
    return f"{event['kind'].replace('_', ' ').capitalize()}, number {event['seq']}"


async def shown(page: Page) -> list[str]:
    """The lines that are there at the moment."""
    return [await line.get_attribute("aria-label") or "" for line in await page.get_by_role("article").all()]


async def test_trail_shows_what_happened_newest_first(tabs: Tabs, client: GraphQLClient) -> None:
    session = await client.create_session(title="Trip to Lisbon")
    await client.say(session)
    await client.mutate("deleteSession", "success", {"sessionId": session})

    page = (await tabs.open("/audit")).page
    await event(page, "Session deleted", 3).wait_for()

    answered = (await client.data(EVENTS))["auditEvents"]["nodes"]
    assert await shown(page) == [shown_as(each) for each in answered]
    newest = event(page, "Session deleted", 3)
    await expect(newest.get_by_role("link", name="alice")).to_be_visible()
    await expect(newest.get_by_role("link", name=answered[0]["correlationId"])).to_be_visible()
    assert await violations(page) == []


async def test_facts_are_fetched_when_they_are_asked_for(tabs: Tabs, client: GraphQLClient) -> None:
    await client.create_session(title="<b>Trip</b> to Lisbon")
    seen = await tabs.open("/audit")
    line = event(seen.page, "Session created", 1)

    facts = line.get_by_role("button", name="Facts of Session created, number 1")
    await facts.click()
    text = await line.locator("pre").inner_text()
    assert await violations(seen.page) == []
    await facts.click()

    await expect(line.locator("pre")).to_have_count(0)
    [answered] = (await client.data(EVENTS))["auditEvents"]["nodes"]
    assert json.loads(text) == answered["payload"]


async def test_filters_are_in_the_address(tabs: Tabs, client: GraphQLClient) -> None:
    first, second = await client.create_session(title="one"), await client.create_session(title="two")
    await client.say(first)
    page = (await tabs.open(f"/audit?session={first}")).page
    await event(page, "Message appended", 2).wait_for()
    assert await shown(page) == ["Message appended, number 2", "Session created, number 1"]

    await page.get_by_role("button", name="All kinds Kind").click()
    await page.get_by_role("option", name="Session created", exact=True).click()
    await expect(event(page, "Message appended", 2)).to_have_count(0)
    await expect(page).to_have_url(re.compile("kind=SESSION_CREATED"))
    await page.get_by_label("Session", exact=True).fill(second)
    await page.keyboard.press("Enter")
    await event(page, "Session created", 1).wait_for()
    answered = (await client.data(EVENTS, {"filter": {"sessionId": second}}))["auditEvents"]["nodes"]
    await event(page, "Session created", 1).get_by_role("link", name=answered[0]["correlationId"]).click()
    await expect(page.get_by_label("Correlation id")).to_have_value(answered[0]["correlationId"])
    await page.get_by_label("Before").fill("2020-01-01T00:00")
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Nothing of that kind happened").wait_for()
    await page.go_back()
    await event(page, "Session created", 1).wait_for()
    await page.get_by_role("button", name="Clear").click()

    await event(page, "Message appended", 2).wait_for()
    assert len(await shown(page)) == 3
    await expect(page).to_have_url(re.compile("/audit$"))


async def test_address_that_asks_for_no_id_is_told_so(tabs: Tabs) -> None:
    page = (await tabs.open("/audit?session=nonsense")).page

    await page.get_by_role("alert").get_by_text("is not a valid id").wait_for()
    assert await violations(page) == []


async def test_long_trail_is_read_to_its_end(tabs: Tabs, client: GraphQLClient) -> None:
    session = await client.create_session(title="Trip to Lisbon")
    for number in range(119):
        await client.say(session, f"message {number}")
    page = (await tabs.open("/audit")).page
    await event(page, "Message appended", 120).wait_for()
    trail = page.get_by_role("feed", name="Events")

    seen: set[str] = set()
    most = 0
    while "Session created, number 1" not in seen:
        now = await shown(page)
        seen, most = seen | set(now), max(most, len(now))
        await trail.evaluate("trail => trail.scrollBy(0, trail.clientHeight)")
        await page.evaluate("() => new Promise(requestAnimationFrame)")

    assert len(seen) == 120
    # What is out of sight is not in the page.
    assert most < 60


async def test_links_lead_to_where_it_happened(tabs: Tabs, client: GraphQLClient) -> None:
    session = await client.create_session(title="Trip to Lisbon")
    page = (await tabs.open("/audit")).page

    await event(page, "Session created", 1).get_by_role("link", name="Session").click()

    await expect(page).to_have_url(re.compile(re.escape("/chat/")))
    assert session.rstrip("=") in page.url


async def test_admin_sees_what_others_did(tabs: Tabs, client: GraphQLClient) -> None:
    await client.create_session(title="Trip to Lisbon")

    bob = (await tabs.open("/audit", user="bob")).page
    await bob.get_by_role("heading", name="Nothing has happened yet").wait_for()
    admin = (await tabs.open("/audit", user="system")).page

    await admin.get_by_text("What happened in the whole tenant").wait_for()
    await event(admin, "Session created", 1).wait_for()
    assert await violations(bob) == []
