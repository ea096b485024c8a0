"""The pages of figures show what the API tells: of a range, by the clock of a zone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Page, expect

from app.container import build_services
from app.core.settings import Settings
from app.db.database import Database
from app.messages.pipeline import MessagePipeline
from app.seeding.runner import seed
from tests.console.conftest import Tabs, violations
from tests.console.figures import Range, Rows, Told, file_of, numbers_of, plot
from tests.seeding.worlds import a_plan, measures_of

FIRST, LAST = "2026-11-02", "2026-11-20"
"""The days of the seeded world, and a day before."""


def midnight(day: str, zone: str, later: int = 0) -> str:
    """Where a day begins there, or one so many days later."""
    there = datetime.fromisoformat(day) + timedelta(days=later)
    return there.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).isoformat()


@pytest.fixture
async def seeded(database: Database) -> None:
    """A small world; `system` is the first who writes in it."""
    pipeline = build_services(Settings())[MessagePipeline]
    assert isinstance(pipeline, MessagePipeline)
    await seed(database, measures_of(pipeline), a_plan(users=1))


@asynccontextmanager
async def answered(page: Page) -> AsyncIterator[None]:
    """What is done here is asked of the server, and answered: to ask for something else would interrupt it."""
    async with page.expect_event("requestfinished", lambda request: request.url.endswith("/graphql")):
        yield
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)


async def require_the_same(page: Page, told: dict[str, Rows]) -> None:
    """Each plot's file, and its table, say what the API does."""
    for title, rows in told.items():
        if len(rows) == 1:
            await expect(plot(page, title).get_by_role("button", name=f"Download “{title}” as CSV")).to_be_disabled()
            continue
        assert await file_of(page, title) == rows, title
        cells = 1 if rows[0][0] in ("Intent", "Tool") else 2
        assert await numbers_of(page, title) == [row[cells:] for row in rows], title


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize(
    ("split", "bucket", "zone"), [("kind", "DAY", "America/Sao_Paulo"), ("model", "WEEK", "Asia/Kathmandu")]
)
async def test_every_plot_tells_what_the_api_does(
    tabs: Tabs, served_url: str, split: str, bucket: str, zone: str
) -> None:
    range_ = Range(midnight(FIRST, zone), midnight(LAST, zone, 1), bucket, zone)
    told = Told(served_url, "system", range_)
    wanted = await (told.by_kind() if split == "kind" else told.by_model())

    address = f"/figures?from={FIRST}&to={LAST}&zone={zone}&bucket={bucket.lower()}&split={split}"
    page = (await tabs.open(address, "system")).page
    await page.get_by_role("heading", name="Over time").wait_for()

    assert sum(len(rows) for rows in wanted.values()) > 30
    await require_the_same(page, wanted)


@pytest.mark.usefixtures("seeded")
async def test_a_session_has_figures_of_its_own(tabs: Tabs, served_url: str) -> None:
    zone = "Europe/Berlin"
    days = Range(midnight(FIRST, zone), midnight(LAST, zone, 1), "DAY", zone)
    [_, first, *_] = (await Told(served_url, "system", days).activity())["Most active sessions"]
    told = Told(served_url, "system", Range(days.start, days.end, "DAY", zone, of=first[1]))

    page = (await tabs.open(f"/figures?from={FIRST}&to={LAST}&zone={zone}", "system")).page
    await page.get_by_text("No budget limits").wait_for()
    await page.get_by_role("link", name=first[0], exact=True).first.click()
    await page.get_by_role("heading", level=1, name=f"Figures of “{first[0]}”").wait_for()
    await page.get_by_text("No prompt was executed here.").wait_for()
    assert await violations(page) == []
    path = page.url.removeprefix(served_url)
    page = (await tabs.open(f"{path}?from={FIRST}&to={LAST}&zone={zone}", "system")).page
    await page.get_by_role("heading", name="Over time").wait_for()

    await require_the_same(page, await told.by_kind())
    every, active = [
        (await told.ask(f"query ($of: ID!) {{ sessionStatistics(sessionId: $of, scope: {scope}) {{ {TOTALS} }} }}"))[
            "sessionStatistics"
        ]
        for scope in ("ALL", "ACTIVE_PATH")
    ]
    shown = await file_of(page, "All messages, and the active path")
    # A browser writes 4200.0 as 4200.
    assert [[float(cell) for cell in row[1:]] for row in shown[1:]] == [
        [float(every[name]), float(active[name])] for name in TOTALS.split()
    ]


TOTALS = "totalMessages totalTokens estimatedCost durationMs averageResponseTimeMs toolExecutions"


async def test_who_has_said_nothing_is_told_so(tabs: Tabs) -> None:
    page = (await tabs.open("/figures", "nobody")).page

    await page.get_by_text("No message was stored in this range.").wait_for()
    await page.get_by_text("No budget limits what you spend.").wait_for()
    for words in ("No tokens were used", "Nothing has failed", "No intent was found", "No tool was called"):
        await expect(page.get_by_text(words)).to_be_visible()
    assert await violations(page) == []


async def test_a_session_that_is_not_there_is_told_so(tabs: Tabs) -> None:
    page = (await tabs.open("/figures/Q2hhdFNlc3Npb246MDE5MGI2YTItMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAx")).page

    await page.get_by_role("heading", name="There is no such session").wait_for()
    assert await violations(page) == []


@pytest.mark.usefixtures("seeded")
async def test_pages_are_for_everybody(tabs: Tabs, served_url: str) -> None:
    budget = 'mutation { setBudget(input: { scope: USER, period: MONTH, limitCost: "0.01" }) { success } }'
    await Told(served_url, "system", Range("", "", "", "")).ask(budget)
    seen = await tabs.open(f"/figures?from={FIRST}&to={LAST}&zone=UTC&split=model", "system", width=360)
    page = seen.page
    await page.get_by_role("meter").wait_for()

    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        assert await violations(page) == [], scheme
    # Nothing is wider than a phone, and what is scrolls by itself.
    assert await page.evaluate("document.querySelector('main > div').lastElementChild.scrollWidth") <= 360

    chart = plot(page, "Tokens by model").get_by_role("application")
    await chart.focus()
    await page.keyboard.press("ArrowRight")
    await expect(plot(page, "Tokens by model").get_by_role("status")).to_contain_text("Tue, 3 Nov 2026")


@pytest.mark.usefixtures("seeded")
async def test_choices_stand_in_the_address(tabs: Tabs) -> None:
    page = (await tabs.open("/figures", "system")).page
    await page.get_by_role("heading", name="Over time").wait_for()
    await page.get_by_text("No budget limits").wait_for()
    controls = page.get_by_role("group", name="What is shown")

    for name in ("7 days", "Hour"):
        async with answered(page):
            await controls.get_by_role("radio", name=name).click()
    zone = controls.get_by_role("combobox", name="Time zone")
    await zone.fill("sao p")
    await page.get_by_role("option", name="America/Sao Paulo").wait_for()
    async with answered(page):
        # By the keyboard: the list is still being put in its place.
        await zone.press("ArrowDown")
        await zone.press("Enter")
    await controls.get_by_role("button", name="Told apart by").click()
    async with answered(page):
        await page.get_by_role("option", name="Model").click()
    await page.get_by_role("heading", name="Tokens by model", exact=True).wait_for()

    assert "range=7" in page.url
    assert "bucket=hour" in page.url
    assert "split=model" in page.url
    assert "zone=America%2FSao_Paulo" in page.url
    await page.reload()
    await page.get_by_text("No budget limits").wait_for()
    await page.get_by_role("heading", name="Tokens by model", exact=True).wait_for()
    await expect(controls.get_by_role("radio", name="7 days")).to_be_checked()
    await expect(zone).to_have_value("America/Sao Paulo")

    await controls.get_by_role("radio", name="Custom").click()
    await controls.get_by_role("button", name="Days").click()
    await page.get_by_role("grid").first.wait_for()
    assert await violations(page) == []
