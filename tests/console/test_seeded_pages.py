"""Every page over a database that is full of things: each can be read by everybody, in each theme and on a phone."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from playwright.async_api import Page, expect

from app.db.database import Database
from app.messages.pipeline import MessagePipeline
from app.seeding.runner import seed
from tests.console.asking import asking
from tests.console.conftest import Tabs, violations
from tests.seeding.worlds import a_plan, measures_of

PATIENCE_SECONDS = 300
"""Twenty pages, each looked through by axe."""

_THERE = """{
  sessions(first: 50) { nodes { id messageCount } }
  projects(first: 50) { nodes { id progress { finished waitsFor { role } } } }
  promptTemplates(first: 1) { nodes { id } } }"""


_TABS = ("edit", "versions", "labels", "executions", "history")


@pytest.fixture
async def paths(tabs: Tabs, database: Database, pipeline: MessagePipeline) -> list[str]:
    """Where the pages of a filled database are."""
    plan = replace(a_plan(users=2, sessions=30, projects=6), now=datetime.now(UTC))
    await seed(database, measures_of(pipeline), plan)
    async with asking(tabs.url, "system") as client:
        there = await client.data(_THERE)
    longest = max(there["sessions"]["nodes"], key=lambda session: int(session["messageCount"]))["id"]
    finished = [each["id"] for each in there["projects"]["nodes"] if each["progress"]["finished"]]
    waiting = [each["id"] for each in there["projects"]["nodes"] if each["progress"]["waitsFor"]]
    template = there["promptTemplates"]["nodes"][0]["id"]
    return [
        "/chat", "/chat/new", f"/chat/{longest}", "/approvals?show=tools", "/approvals?show=reviews", "/workflow",
        *(f"/workflow/{project}" for project in (finished[:1] + waiting[:2])),
        *(f"/workflow/{finished[0]}?stage={stage}" for stage in ("REQUIREMENTS_ANALYSIS", "STORY_GENERATION")),
        "/prompts", *(f"/prompts/{template}?tab={tab}" for tab in _TABS),
        "/figures", "/figures?range=90&split=model", f"/figures/{longest}", "/keys", "/audit",
    ]  # fmt: skip


@pytest.mark.timeout(PATIENCE_SECONDS)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1_280), ("dark", 1_280), ("dark", 360)])
async def test_every_page_can_be_read_by_everybody(tabs: Tabs, paths: list[str], scheme: str, width: int) -> None:
    page = (await tabs.open("/keys", user="system", width=width)).page
    await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    found = {}
    for path in paths:
        await page.goto(tabs.url + path)
        await _settled(page)
        # What is wider scrolls within itself.
        wide = await page.evaluate("document.documentElement.scrollWidth") > width
        found[path] = [*await violations(page), *(["wider than the window"] if wide else [])]

    assert {path: wrong for path, wrong in found.items() if wrong} == {}


async def _settled(page: Page) -> None:
    """Wait for what is shown at the end of all that is fetched."""
    await page.get_by_role("heading", level=1).wait_for(state="attached")
    await page.wait_for_load_state("networkidle")
    await expect(page.get_by_role("progressbar")).to_have_count(0)
