"""Attempts while they are written and while they are reviewed: stopped, and decided by somebody faster."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Route, expect
from pydantic import SecretStr

from app.asgi import create_app
from app.core.settings import load_settings
from app.workflow.values import StageStatus
from tests.client import GraphQLClient
from tests.console.asking import asking
from tests.console.conftest import Tabs, violations
from tests.web.server import serving
from tests.workflow.making import DESCRIPTION
from tests.workflow.scenes import a_workflow

_STAGES = (
    """query ($id: ID!) { project(id: $id) { stages(first: 10) { nodes { id status attempt review { id } } } } }"""
)


@pytest.fixture
def served_url(console_folder: Path, dsn: str) -> Iterator[str]:
    """A server whose model takes its time."""
    settings = load_settings(database_url=SecretStr(dsn), local_words_per_second=20)
    with serving(create_app(settings)) as url:
        yield url


async def _stages(client: GraphQLClient, project: str) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = (await client.data(_STAGES, {"id": project}))["project"]["stages"]["nodes"]
    return nodes


async def test_attempt_is_watched_and_stopped(tabs: Tabs) -> None:
    async with asking(tabs.url) as alice:
        new = {"name": "Speiche", "description": DESCRIPTION * 20}
        project = (await alice.mutate("createProject", "project { id }", new))["project"]["id"]
        page = (await tabs.open(f"/workflow/{project}")).page
        await page.get_by_role("button", name="Generate", exact=True).click()
        await expect(page.get_by_role("region", name="Being written")).to_be_visible()
        assert await violations(page) == []

        await page.get_by_role("button", name="Stop").click()

        await expect(page.get_by_role("region", name="Being written")).to_have_count(0)
        [stage] = await _stages(alice, project)
        assert stage["status"] == "FAILED"
        await expect(page.get_by_role("button", name="Generate another attempt")).to_be_visible()
        assert await violations(page) == []


async def test_who_reviews_late_is_told_who_was_faster(tabs: Tabs, dsn: str) -> None:
    project = await a_workflow(dsn, name="Speiche", until=(StageStatus.AWAITING_REVIEW,))
    page = (await tabs.open(f"/workflow/{project.id}")).page
    await page.get_by_role("button", name="Approve", exact=True).wait_for()

    async def decide_first(route: Route) -> None:
        if "WorkflowDecide" in (route.request.post_data or ""):
            async with asking(tabs.url, "bob") as bob:
                [stage] = await _stages(bob, project.id)
                decision = {"reviewId": stage["review"]["id"], "decision": "REJECT", "feedback": "No."}
                await bob.mutate("decideReview", "review { id }", decision)
        await route.continue_()

    await page.route("**/graphql", decide_first)
    await page.get_by_role("button", name="Approve", exact=True).click()

    await expect(page.get_by_text("bob has already rejected it.")).to_be_visible()
    await expect(page.get_by_text("Rejected", exact=True).first).to_be_visible()
