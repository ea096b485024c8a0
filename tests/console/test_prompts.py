"""The library of prompts: found, ordered, looked through and added to."""

from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.async_api import Page, Route, expect

from app.core.ids import global_id, new_id
from tests.client import GraphQLClient
from tests.console.asking import asking
from tests.console.conftest import Tabs, violations
from tests.console.prompting import SHOP, choose, is_narrow, opened
from tests.prompts.scenes import a_template, read

_LISTED = """query ($filter: PromptTemplateFilter, $orderBy: PromptTemplateOrder!) {
  promptTemplates(filter: $filter, orderBy: $orderBy, first: 100) { totalCount nodes { name enabled } } }"""


async def _listed(client: GraphQLClient, order: str = "NAME_ASC", **filter_: object) -> list[tuple[str, bool]]:
    asked = {"filter": filter_ or None, "orderBy": order}
    nodes = (await client.data(_LISTED, asked))["promptTemplates"]["nodes"]
    return [(node["name"], node["enabled"]) for node in nodes]


async def _shown(page: Page) -> list[tuple[str, bool]]:
    return [
        tuple(row)
        for row in await page.evaluate(
            "[...document.querySelectorAll('ul[aria-label=Prompts] > li')].map((row) => "
            "[row.querySelector('a').textContent, row.textContent.includes('Enabled')])"
        )
    ]


async def _fill(client: GraphQLClient) -> None:
    await a_template(client, "Plan, short", stage="PROJECT_PLANNING", enabled=True)
    await a_template(client, "plan, long", stage="PROJECT_PLANNING", type="TEXT_GENERATION")
    await a_template(client, **SHOP, projectId="shop", organizationId="acme", enabled=True)
    await a_template(client, "Ticket summary", type="SUMMARIZATION", description="For the daily report.")


async def test_library_is_shown_as_the_api_lists_it(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        await _fill(client)

        page = (await tabs.open("/prompts")).page
        await expect(page.get_by_text("4 prompts")).to_be_visible()

        assert await _shown(page) == await _listed(client)
        customer = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="Answer a customer"))
        await expect(customer.first).to_contain_text("acme")
        assert await violations(page) == []


async def test_filters_and_order_are_kept_in_the_address(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        await _fill(client)
        page = (await tabs.open("/prompts")).page
        await page.get_by_role("textbox", name="Search by name").fill("PLAN")
        await choose(page, "Stage", "Project planning")
        await choose(page, "Order", "Name, Z to A")

        await expect(page.get_by_text("2 prompts")).to_be_visible()
        conditions = {"text": ["PLAN"], "stage": ["PROJECT_PLANNING"], "order": ["NAME_DESC"]}
        # What is typed is asked for when the person pauses.
        await page.wait_for_url(lambda url: parse_qs(urlsplit(url).query) == conditions)
        listed = await _listed(client, "NAME_DESC", text="PLAN", stage="PROJECT_PLANNING")
        assert await _shown(page) == listed
        await page.reload()
        await expect(page.get_by_text("2 prompts")).to_be_visible()
        assert await _shown(page) == listed

        await choose(page, "Enabled", "Enabled")
        await expect(page.get_by_text("1 prompt", exact=True)).to_be_visible()
        await page.get_by_role("button", name="Clear").click()
        await expect(page.get_by_text("4 prompts")).to_be_visible()


async def test_project_of_another_application_is_filtered_by_its_name(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        await _fill(client)
        page = (await tabs.open("/prompts")).page
        await page.get_by_role("button", name="More filters").click()
        await choose(page, "Project", "Another, by its name…")
        await page.get_by_role("textbox", name="Name of the project").fill("shop")

        await expect(page.get_by_text("1 prompt", exact=True)).to_be_visible()
        assert await _shown(page) == await _listed(client, projectId="shop")
        assert await violations(page) == []

        await page.get_by_role("textbox", name="Label").fill("production")
        await expect(page.get_by_role("heading", name="No prompt is like that")).to_be_visible()


async def test_long_library_comes_page_by_page(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        for number in range(55):
            await a_template(client, f"prompt {number:02}")

        page = (await tabs.open("/prompts")).page
        await expect(page.get_by_text("55 prompts")).to_be_visible()
        assert len(await _shown(page)) == 50
        await page.get_by_role("button", name="Show more").click()

        await expect(page.get_by_role("link", name="prompt 54")).to_be_visible()
        assert await _shown(page) == await _listed(client)
        await expect(page.get_by_role("button", name="Show more")).to_have_count(0)


async def test_prompt_is_made_with_the_variables_of_its_text(tabs: Tabs, served_url: str) -> None:
    page = (await tabs.open("/prompts")).page
    await expect(page.get_by_role("heading", name="There are no prompts yet")).to_be_visible()
    assert await violations(page) == []
    await page.get_by_role("button", name="New prompt").first.click()
    dialog = page.get_by_role("dialog", name="New prompt")
    await dialog.get_by_role("textbox", name="Name").fill("Greeting")
    await choose(dialog, "Type", "Text generation")
    await choose(dialog, "Stage of projects", "Story generation")
    await dialog.get_by_role("textbox", name="Text").fill("Greet {{person}} on {{ day }}, {{person}}!")
    await expect(dialog.get_by_text("Variables: person, day")).to_be_visible()
    assert await violations(page) == []

    await dialog.get_by_role("button", name="Create").click()
    await expect(page.get_by_role("heading", level=1, name="Greeting")).to_be_visible()

    async with asking(served_url) as client:
        template = urlsplit(page.url).path.removeprefix("/prompts/").replace("%3D", "=")
        made = await read(client, template, "name type stage content declaredVariables { name type required }")
    declared = [{"name": name, "type": "TEXT", "required": True} for name in ("person", "day")]
    assert made == {
        "name": "Greeting",
        "type": "TEXT_GENERATION",
        "stage": "STORY_GENERATION",
        "content": "Greet {{person}} on {{ day }}, {{person}}!",
        "declaredVariables": declared,
    }


async def test_importing_is_explained(tabs: Tabs) -> None:
    page = (await tabs.open("/prompts")).page
    await page.get_by_role("button", name="Import and export").click()

    await expect(page.get_by_text("colloquy import --format prompts library.csv")).to_be_visible()
    assert await violations(page) == []


@pytest.mark.parametrize("tab", ["edit", "versions", "labels", "executions", "history"])
async def test_pages_fit_a_phone(tabs: Tabs, served_url: str, tab: str) -> None:
    async with asking(served_url) as client:
        template = await a_template(client, **SHOP, projectId="shop", description="word " * 100)

    page = await opened(tabs, template, f"?tab={tab}", width=360)
    await page.get_by_role("tabpanel").wait_for()
    await expect(page.get_by_role("progressbar")).to_have_count(0)

    assert await is_narrow(page)
    assert await violations(page) == []


async def test_library_fits_a_phone(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        await _fill(client)

    page = (await tabs.open("/prompts", width=360)).page
    await expect(page.get_by_text("4 prompts")).to_be_visible()

    assert await is_narrow(page)
    assert await violations(page) == []


async def test_prompt_that_is_not_there_leads_back(tabs: Tabs) -> None:
    unknown = global_id("PromptTemplate", new_id())

    page = (await tabs.open(f"/prompts/{quote(unknown)}")).page
    await expect(page.get_by_role("heading", name="There is no such prompt")).to_be_visible()
    assert await violations(page) == []

    await page.get_by_role("link", name="To the library").click()
    await expect(page.get_by_role("heading", level=1, name="Prompts")).to_be_visible()


async def test_what_was_cut_off_goes_on_where_it_is_retried(tabs: Tabs, served_url: str) -> None:
    seen = await tabs.open("/prompts")
    page = seen.page
    await page.get_by_role("button", name="New prompt").first.click()
    dialog = page.get_by_role("dialog", name="New prompt")
    await dialog.get_by_role("textbox", name="Name").fill("Greeting")
    await dialog.get_by_role("textbox", name="Text").fill("Hello!")

    lost = 0

    async def lose(route: Route) -> None:
        nonlocal lost
        if lost == 0 and "createPromptTemplate" in (route.request.post_data or ""):
            lost += 1
            await route.fetch()
            await route.abort()
        else:
            await route.fallback()

    await page.route("**/graphql", lose)
    await dialog.get_by_role("button", name="Create").click()
    await page.get_by_role("button", name="Retry").click()

    # It had been made, and its answer was lost: it is there once, and the page leads to it.
    await expect(page.get_by_role("heading", level=1, name="Greeting")).to_be_visible()
    async with asking(served_url) as client:
        assert await _listed(client, "NAME_ASC") == [("Greeting", False)]
    assert all("ERR_FAILED" in complaint for complaint in seen.complaints)
    seen.complaints.clear()
