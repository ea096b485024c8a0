"""Projects on their way through the four stages, as people take them there in a browser."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect
from pydantic import SecretStr

from app.asgi import create_app
from app.core.settings import load_settings
from app.workflow.values import StageStatus
from tests.console.asking import asking
from tests.console.conftest import Tabs, violations
from tests.web.server import serving
from tests.workflow.making import DESCRIPTION
from tests.workflow.scenes import a_workflow

_NAMED = """query ($name: String) {
  projects(filter: {text: $name}) { nodes {
    id description progress { finished waitsFor { role } }
    stages(first: 50) { nodes { kind attempt status content review { status feedback decidedBy } } }
  } }
}"""


@pytest.fixture
def served_url(console_folder: Path, dsn: str) -> Iterator[str]:
    """A server whose model writes fast, and still word by word."""
    settings = load_settings(database_url=SecretStr(dsn), local_words_per_second=2_000)
    with serving(create_app(settings)) as url:
        yield url


async def test_project_is_taken_through_all_stages(tabs: Tabs, tmp_path: Path) -> None:
    seen = await tabs.open("/workflow")
    page = seen.page
    await page.get_by_role("heading", name="There is no project yet").wait_for()
    await page.get_by_role("button", name="New project").click()
    await page.get_by_role("textbox", name="Name").fill("Speiche")
    await page.get_by_role("textbox", name="Description").fill(DESCRIPTION)
    await page.get_by_role("button", name="Create project").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Speiche")
    await expect(page.get_by_text("Requirements: to be generated.")).to_be_visible()

    for stage, following in (("Requirements", "Planning"), ("Planning", "Stories"), ("Stories", "Prompts")):
        await page.get_by_role("button", name="Generate", exact=True).click()
        await page.get_by_role("button", name="Approve", exact=True).click()
        await expect(_stage(page, stage)).to_contain_text("Approved")
        await _stage(page, following).click()
        await expect(page.get_by_role("heading", level=2)).to_have_text(following)
    await page.get_by_role("button", name="Generate 3 missing prompts").click()
    stories = page.get_by_role("navigation", name="Stories").get_by_role("link")
    await expect(stories).to_have_count(3)
    for story in await stories.all():
        await story.click()
        await page.get_by_role("button", name="Approve", exact=True).click()
        await expect(story).to_contain_text("Approved")

    await expect(page.get_by_text("Finished: there is an approved prompt for every story.")).to_be_visible()
    assert await violations(page) == []
    async with asking(tabs.url) as alice:
        (project,) = (await alice.data(_NAMED, {"name": "Speiche"}))["projects"]["nodes"]
    assert project["description"] == DESCRIPTION
    assert project["progress"] == {"finished": True, "waitsFor": []}
    assert {stage["status"] for stage in project["stages"]["nodes"]} == {"APPROVED"}
    await _check_downloads(page, tmp_path, [each["content"] for each in project["stages"]["nodes"]][3:])


async def _check_downloads(page: Page, folder: Path, prompts: list[str]) -> None:
    async with page.expect_download() as archived:
        await page.get_by_role("button", name="Download prompts").click()
    archive = await archived.value
    assert archive.suggested_filename == "speiche-prompts.zip"
    await archive.save_as(folder / "prompts.zip")
    with zipfile.ZipFile(folder / "prompts.zip") as files:
        texts = {name: files.read(name).decode() for name in files.namelist() if name.endswith(".md")}
    assert sorted(text.rstrip("\n") for text in texts.values()) == sorted(prompt.rstrip("\n") for prompt in prompts)
    async with page.expect_download() as single:
        await page.get_by_role("button", name="Download .md").click()
    prompt = await single.value
    assert prompt.suggested_filename == sorted(texts)[2]
    await prompt.save_as(folder / "prompt.md")
    assert (folder / "prompt.md").read_text() == texts[prompt.suggested_filename]


async def test_rejected_attempt_is_made_anew_and_compared(tabs: Tabs) -> None:
    async with asking(tabs.url) as alice:
        made = await alice.mutate("createProject", "project { id }", {"name": "Speiche", "description": DESCRIPTION})
    seen = await tabs.open(f"/workflow/{made['project']['id']}")
    page = seen.page
    await page.get_by_role("button", name="Generate", exact=True).click()
    feedback = page.get_by_role("textbox", name="Feedback on Requirements, attempt 1")
    await expect(feedback).to_be_visible()
    await expect(page.get_by_role("button", name="Request changes")).to_be_disabled()

    await feedback.fill("Say how labels are printed.")
    await page.get_by_role("button", name="Request changes").click()

    attempts = page.get_by_role("navigation", name="Attempts").get_by_role("link")
    await expect(attempts).to_have_text(["Attempt 2Awaiting review", "Attempt 1Rejected"])
    await page.get_by_role("button", name="Compare with").click()
    await page.get_by_role("option", name="Attempt 1: rejected").click()
    compared = page.get_by_role("region", name="Attempt 1 compared with Attempt 2")
    await expect(compared.get_by_role("insertion").filter(has_text="Say how labels are printed.").first).to_be_visible()
    assert await violations(page) == []
    async with asking(tabs.url) as alice:
        (project,) = (await alice.data(_NAMED, {"name": "Speiche"}))["projects"]["nodes"]
    first, second = project["stages"]["nodes"]
    assert first["review"] == {"status": "REJECTED", "feedback": "Say how labels are printed.", "decidedBy": "alice"}
    assert (second["attempt"], second["status"]) == (2, "AWAITING_REVIEW")


async def test_review_decided_in_a_project_leaves_the_inbox_of_another_person(tabs: Tabs, dsn: str) -> None:
    project = await a_workflow(dsn, name="Speiche", until=(StageStatus.AWAITING_REVIEW,))
    inbox = await tabs.open("/approvals?show=reviews", user="bob")
    await expect(_review(inbox.page)).to_be_visible()
    await inbox.page.get_by_role("button", name="Read the document").click()
    await expect(inbox.page.get_by_role("region", name="Document: Requirements")).to_contain_text("plain")
    assert await violations(inbox.page) == []

    page = (await tabs.open(f"/workflow/{project.id}")).page
    await page.get_by_role("button", name="Approve", exact=True).click()

    await expect(inbox.page.get_by_role("heading", name="Nothing is to be reviewed")).to_be_visible()
    await expect(page.get_by_text("Approved", exact=True).first).to_be_visible()


async def test_review_of_a_project_that_is_begun_elsewhere_appears_by_itself(tabs: Tabs) -> None:
    inbox = (await tabs.open("/approvals?show=reviews", user="bob")).page
    await inbox.get_by_role("heading", name="Nothing is to be reviewed").wait_for()

    async with asking(tabs.url) as alice:
        new = {"name": "Speiche", "description": DESCRIPTION}
        project = (await alice.mutate("createProject", "project { id }", new))["project"]["id"]
        asked = {"projectId": project, "stage": "REQUIREMENTS_ANALYSIS"}
        await alice.mutate("generateStage", "stages { id }", asked)

    await expect(_review(inbox)).to_be_visible()
    await expect(inbox.get_by_role("link", name="Approvals 1 waiting")).to_be_visible()


async def test_change_upstream_makes_what_is_built_on_it_stale_in_every_tab(tabs: Tabs, dsn: str) -> None:
    project = await a_workflow(dsn, name="Speiche", until=(StageStatus.APPROVED, StageStatus.AWAITING_REVIEW))
    watching = (await tabs.open(f"/workflow/{project.id}?stage=PROJECT_PLANNING", user="bob")).page
    await expect(_stage(watching, "Planning")).to_contain_text("Awaiting review")

    page = (await tabs.open(f"/workflow/{project.id}?stage=REQUIREMENTS_ANALYSIS")).page
    await page.get_by_role("textbox", name="Feedback on Requirements, attempt 1").fill("It is another project.")
    await page.get_by_role("button", name="Reject").click()

    await expect(_stage(page, "Requirements")).to_contain_text("Rejected")
    await expect(watching.get_by_text("Stale: what it was built on was replaced or rejected")).to_be_visible()
    await expect(watching.get_by_text("approve one first")).to_be_visible()


async def test_projects_are_found_edited_and_deleted(tabs: Tabs, dsn: str) -> None:
    for number in range(21):
        await a_workflow(dsn, name=f"Project {number:02}", until=())
    page = (await tabs.open("/workflow")).page
    projects = page.get_by_role("list", name="Projects").get_by_role("link")
    await expect(projects).to_have_count(20)
    await page.get_by_role("button", name="Show more").click()
    await expect(projects).to_have_count(21)
    assert await violations(page) == []

    await page.get_by_role("searchbox", name="Search projects by name").fill("project 07")
    await expect(projects).to_have_text(["Project 07"])
    await projects.first.click()
    await page.get_by_role("button", name="Edit").click()
    await page.get_by_role("textbox", name="Name").fill("Speiche")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Speiche")
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Delete the project").click()
    await expect(page.get_by_text("20 projects")).to_be_visible()

    async with asking(tabs.url) as alice:
        assert (await alice.data(_NAMED, {"name": "Speiche"}))["projects"]["nodes"] == []


async def test_pages_fit_a_phone(tabs: Tabs, dsn: str) -> None:
    project = await a_workflow(dsn, StageStatus.AWAITING_REVIEW, name="Speiche")
    for path in ("/workflow", f"/workflow/{project.id}"):
        page = (await tabs.open(path, width=360, height=740)).page
        await page.get_by_role("main").get_by_text("Speiche").first.wait_for()
        assert await page.evaluate("document.documentElement.scrollWidth") == 360
        assert await violations(page) == []


def _stage(page: Page, name: str) -> Locator:
    """A stage on the board."""
    return page.get_by_role("navigation", name="Stages").get_by_role("link", name=name)


def _review(page: Page) -> Locator:
    """What is to be reviewed of the analysis."""
    return page.get_by_role("article", name="Speiche · Requirements")
