"""What was asked before something changed is answered after it: pages show what is stored, and not what was."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Page, Route, expect

from app.workflow.values import StageStatus
from tests.console.asking import asking
from tests.console.conftest import Tabs
from tests.console.talking import messages
from tests.workflow.scenes import a_workflow

_REVIEW = "query ($id: ID!) { project(id: $id) { stages(first: 1) { nodes { review { id } } } } }"


@dataclass
class Held:
    """The first answer to an operation, which the server has given and the page has not got."""

    asked: bool = False
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def first_answer_held(page: Page, operation: str) -> AsyncIterator[Held]:
    """Later ones of the same operation pass it."""
    held = Held()

    async def hold(route: Route) -> None:
        if held.asked or f'"{operation}"' not in (route.request.post_data or ""):
            await route.fallback()
            return
        held.asked = True
        answer = await route.fetch()
        held.answered.set()
        await held.let_go.wait()
        await route.fulfill(response=answer)
        held.arrived.set()

    await page.route("**/graphql", hold)
    try:
        yield held
    finally:
        held.let_go.set()


async def test_message_that_comes_while_a_conversation_is_read_is_shown(tabs: Tabs) -> None:
    async with asking(tabs.url) as alice:
        first = await alice.say(session := await alice.create_session(), "said before")
        page = (await tabs.open("/keys")).page
        async with first_answer_held(page, "ConversationNewest") as held:
            await page.goto(f"{tabs.url}/chat/{session}")
            await held.answered.wait()

            await alice.say(session, "said meanwhile", parentMessageId=first["message"]["id"])

            await expect(messages(page)).to_have_count(2)
            held.let_go.set()
            await held.arrived.wait()
            await page.wait_for_load_state("networkidle")
            await expect(messages(page)).to_have_count(2)
            await expect(messages(page).last).to_contain_text("said meanwhile")


async def test_decision_that_comes_while_an_attempt_is_read_is_shown(tabs: Tabs, dsn: str) -> None:
    project = await a_workflow(dsn, name="Speiche", until=(StageStatus.AWAITING_REVIEW,))
    page = (await tabs.open("/keys")).page
    async with asking(tabs.url, "bob") as bob, first_answer_held(page, "WorkflowAttempt") as held:
        await page.goto(f"{tabs.url}/workflow/{project.id}?stage=REQUIREMENTS_ANALYSIS")
        await held.answered.wait()

        [stage] = (await bob.data(_REVIEW, {"id": project.id}))["project"]["stages"]["nodes"]
        await bob.mutate("decideReview", "review { id }", {"reviewId": stage["review"]["id"], "decision": "APPROVE"})

        board = page.get_by_role("navigation", name="Stages").get_by_role("link").first
        await expect(board).to_contain_text("Approved")
        held.let_go.set()
        await held.arrived.wait()
        await page.wait_for_load_state("networkidle")
        await expect(page.get_by_text("by bob")).to_be_visible()
        await expect(page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
