"""A prompt in the console: edited against others, enabled, compared, labelled, reckoned up, deleted."""

import re

from playwright.async_api import Page, expect

from tests.client import GraphQLClient
from tests.console.asking import asking
from tests.console.conftest import Tabs, violations
from tests.console.prompting import SHOP, choose, opened
from tests.prompts.scenes import a_template, change, read, save

_FIGURES = """versions(first: 5) { nodes { version savedBy labels { label }
  statistics { count completed failed totalTokens }
  executions(first: 5) { nodes { status usage { total } session { id title } } } } }"""


async def _save(page: Page, version: int) -> None:
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text(f"Saved as version {version}.")).to_be_visible()


async def test_what_is_typed_becomes_a_version_with_the_variables_it_uses(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        template = await a_template(client, **SHOP)
        page = await opened(tabs, template)
        text = page.get_by_role("textbox", name="Text", exact=True)
        await text.fill("Answer {{question}} for {{shop}}, {{tone}}.")

        await page.get_by_role("button", name="Declare tone").click()
        words = page.get_by_role("group", name="words")
        await expect(words).to_contain_text("Not used in the text")
        await words.get_by_role("button", name="Remove words").click()
        tone = page.get_by_role("group", name="tone")
        await tone.get_by_role("textbox", name="Description").fill("How it sounds")
        await tone.get_by_role("textbox", name="Default").fill("friendly")
        assert await violations(page) == []
        await text.press("Control+s")
        await expect(page.get_by_text("Saved as version 2.")).to_be_visible()

        saved = await read(client, template, "version content declaredVariables { name type required default }")
        assert saved["version"] == 2
        assert saved["content"] == "Answer {{question}} for {{shop}}, {{tone}}."
        named = [(variable["name"], variable["default"]) for variable in saved["declaredVariables"]]
        assert named == [("shop", None), ("question", None), ("tone", "friendly")]


async def test_what_the_server_refuses_is_told_and_kept(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        template = await a_template(client, "one")
        await a_template(client, "other")
        page = await opened(tabs, template)
        await page.get_by_role("textbox", name="Name", exact=True).fill("other")
        await page.get_by_role("textbox", name="Text", exact=True).fill("Hi {{#if}}")
        await expect(page.get_by_text("Line 1, column 4")).to_be_visible()

        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.get_by_role("alert")).to_contain_text("line 1, column 4")
        await page.get_by_role("textbox", name="Text", exact=True).fill("Hi")
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.get_by_role("alert")).to_contain_text("another prompt template of the project has this name")

        assert (await read(client, template, "version"))["version"] == 1
        await expect(page.get_by_role("textbox", name="Text", exact=True)).to_have_value("Hi")


async def test_conflict_shows_both_texts_and_either_is_gone_on_with(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client, asking(served_url, "bob") as bob:
        template = await a_template(client, content="Say hello.\nBe kind.")
        page = await opened(tabs, template)
        text = page.get_by_role("textbox", name="Text", exact=True)
        await text.fill("Say hello.\nBe brief.")
        await save(bob, template, 1, content="Say hi.\nBe kind.", description="bob's")

        await page.get_by_role("button", name="Save", exact=True).click()
        dialog = page.get_by_role("dialog", name="Somebody else saved first")
        await expect(dialog).to_contain_text("bob saved version 2 while you worked from version 1")
        comparison = dialog.get_by_role("region", name="Version 2 compared with Yours")
        await expect(comparison).to_contain_text("Say hi.")
        await expect(comparison).to_contain_text("Be brief.")
        assert await violations(page) == []
        assert (await read(client, template, "version"))["version"] == 2

        await dialog.get_by_role("button", name="Go on editing").click()
        await expect(text).to_have_value("Say hello.\nBe brief.")
        await expect(page.get_by_text("begun from version 2")).to_be_visible()
        await _save(page, 3)
        saved = await read(client, template, "version content description")
        assert saved == {"version": 3, "content": "Say hello.\nBe brief.", "description": "bob's"}


async def test_conflict_is_settled_by_saving_over_or_letting_go(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client, asking(served_url, "bob") as bob:
        template = await a_template(client, content="first")
        page = await opened(tabs, template)
        text = page.get_by_role("textbox", name="Text", exact=True)
        await text.fill("mine")
        await save(bob, template, 1, content="theirs")
        await page.get_by_role("button", name="Save", exact=True).click()
        await page.get_by_role("button", name="Save mine as version 3").click()
        await expect(page.get_by_text("Saved as version 3.")).to_be_visible()
        assert (await read(client, template, "content"))["content"] == "mine"

        await text.fill("mine again")
        await save(bob, template, 3, content="theirs again")
        await page.get_by_role("button", name="Save", exact=True).click()
        await page.get_by_role("button", name="Discard mine").click()
        await expect(text).to_have_value("theirs again")
        assert (await read(client, template, "version"))["version"] == 4


async def test_unsaved_changes_outlive_a_reload_and_leaving_asks(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        template = await a_template(client, "Greeting")
    page = await opened(tabs, template)
    text = page.get_by_role("textbox", name="Text", exact=True)
    await text.fill("Not saved yet")

    await page.reload()
    await expect(text).to_have_value("Not saved yet")
    leave = page.get_by_role("navigation", name="Where this prompt is").get_by_role("link", name="Prompts")
    await leave.click()
    dialog = page.get_by_role("dialog", name="Leave without saving?")
    await dialog.wait_for()
    assert await violations(page) == []
    await dialog.get_by_role("button", name="Stay").click()
    await expect(text).to_have_value("Not saved yet")

    await leave.click()
    await dialog.get_by_role("button", name="Keep as a draft").click()
    await page.get_by_role("link", name="Greeting").click()
    await expect(text).to_have_value("Not saved yet")
    await leave.click()
    await dialog.get_by_role("button", name="Discard changes").click()
    await page.get_by_role("link", name="Greeting").click()
    await expect(text).to_have_value("Hello!")


async def test_enabling_asks_before_it_replaces_another(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        old = await a_template(client, "Old", enabled=True)
        new = await a_template(client, "New")
        page = await opened(tabs, new)
        await page.get_by_role("button", name="Enable", exact=True).click()
        dialog = page.get_by_role("dialog", name="Another prompt is enabled")
        await expect(dialog).to_contain_text("“Old” is the one in use")
        assert await violations(page) == []
        assert (await read(client, old, "enabled"))["enabled"]

        await dialog.get_by_role("button", name="Replace it").click()
        await expect(page.get_by_text("Enabled in the place of “Old”.")).to_be_visible()
        assert not (await read(client, old, "enabled"))["enabled"]
        assert (await read(client, new, "enabled"))["enabled"]

        await page.get_by_role("button", name="Disable").click()
        await expect(page.get_by_role("button", name="Enable", exact=True)).to_be_visible()
        assert not (await read(client, new, "enabled"))["enabled"]


async def test_versions_are_compared_and_gone_back_to(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        template = await a_template(client, content="one\ntwo")
        await save(client, template, 1, content="one\nthree\nfour")
        await save(client, template, 2, content="five", name="Renamed")
        page = await opened(tabs, template, "?tab=versions")
        await choose(page, "From", "Version 1")
        await choose(page, "To", "Version 2")

        diff = (await read(client, template, "diff(from: 1, to: 2) { addedLines removedLines }"))["diff"]
        assert diff == {"addedLines": 2, "removedLines": 1}
        await expect(page.get_by_text("2 lines added, 1 line removed in all")).to_be_visible()
        comparison = page.get_by_role("region", name="Version 1 compared with Version 2")
        await expect(comparison).to_contain_text("three")
        await page.reload()
        await expect(comparison).to_contain_text("two")
        assert await violations(page) == []

        await page.get_by_role("button", name="Go back to version 1").click()
        await expect(page.get_by_role("textbox", name="Text", exact=True)).to_have_value("one\ntwo")
        await _save(page, 4)
        saved = await read(client, template, "version name content")
        assert saved == {"version": 4, "name": "greeting", "content": "one\ntwo"}


async def test_labels_are_set_moved_and_removed_with_their_history(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        template = await a_template(client)
        await save(client, template, 1, content="second")
        page = await opened(tabs, template, "?tab=labels")
        await page.get_by_role("button", name="New label").click()
        dialog = page.get_by_role("dialog", name="Set a label to version 2")
        await dialog.get_by_role("textbox", name="Label").fill("Not a label")
        await dialog.get_by_role("button", name="Set").click()
        await expect(dialog.get_by_role("alert")).to_be_visible()
        await dialog.get_by_role("textbox", name="Label").fill("production")
        assert await violations(page) == []
        await dialog.get_by_role("button", name="Set").click()
        await expect(page.get_by_role("heading", name="production")).to_be_visible()

        await choose(page, "Version of production", "Version 1")
        await expect(page.get_by_text("“production” points to version 1.")).to_be_visible()
        assert await _labels(client, template) == [("production", 1)]
        assert await violations(page) == []
        await page.get_by_role("button", name="History of production").click()
        lines = page.get_by_role("list", name="History of production").get_by_role("listitem")
        await expect(lines).to_contain_text(
            ["moved the label production from version 2 to 1", "set the label production to version 2"]
        )
        await page.get_by_role("button", name="Close").click()

        await page.get_by_role("button", name="Remove production").click()
        await page.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
        await expect(page.get_by_role("heading", name="There are no labels")).to_be_visible()
        assert await _labels(client, template) == []


async def test_label_that_another_moved_is_not_moved_again(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client, asking(served_url, "bob") as bob:
        template = await a_template(client)
        for version in (1, 2):
            await save(client, template, version, content=f"version {version + 1}")
        await change(client, "setPromptLabel", template, label="staging", version=1)
        page = await opened(tabs, template, "?tab=labels")
        await page.get_by_role("heading", name="staging").wait_for()
        await change(bob, "setPromptLabel", template, label="staging", version=2)

        await choose(page, "Version of staging", "Version 3")
        await expect(page.get_by_text("the label is at version 2")).to_be_visible()
        assert await _labels(client, template) == [("staging", 2)]


async def test_figures_and_executions_are_those_of_the_api(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        template = await a_template(client, content="Say hello.")
        execution = {"templateId": template, "model": "local:echo", "wait": True}
        await client.mutate("executePrompt", "run { id }", execution)
        await save(client, template, 1, content="Say goodbye.")
        await client.mutate("executePrompt", "run { id }", execution)
        await change(client, "setPromptLabel", template, label="live", version=1)
        newest, oldest = (await read(client, template, _FIGURES))["versions"]["nodes"]
        assert (newest["statistics"]["count"], oldest["statistics"]["completed"]) == (1, 1)

        page = await opened(tabs, template, "?tab=versions")
        row = page.get_by_role("row").filter(has_text="live")
        await expect(row.get_by_role("cell")).to_have_count(8)
        cells = await row.get_by_role("cell").all_inner_texts()
        assert (cells[0].endswith("by alice"), cells[1].strip(), cells[2]) == (True, "1", "100%")
        assert cells[5] == oldest["statistics"]["totalTokens"]
        await row.get_by_role("button", name="What to do with version 1").click()
        await page.get_by_role("menuitem", name="Look at its executions").click()
        run = oldest["executions"]["nodes"][0]
        line = page.get_by_role("region", name="Executions").get_by_role("row").nth(1)
        await expect(line).to_contain_text("Completed")
        await expect(line).to_contain_text(run["usage"]["total"])
        link = line.get_by_role("link", name=run["session"]["title"])
        await expect(link).to_have_attribute("href", re.compile(r"/chat/.+"))
        assert await violations(page) == []


async def test_history_tells_all_that_was_done(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        template = await a_template(client)
        await save(client, template, 1, content="second")
        await change(client, "enablePromptTemplate", template)
        page = await opened(tabs, template, "?tab=history")

        lines = page.get_by_role("list", name="History").get_by_role("listitem")
        await expect(lines).to_contain_text(["alice enabled it", "alice saved version 2", "alice made the prompt"])
        assert await violations(page) == []


async def test_deleted_prompt_can_only_be_looked_at(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        template = await a_template(client, "Gone soon", enabled=True)
        page = await opened(tabs, template)
        await page.get_by_role("button", name="More").click()
        await page.get_by_role("menuitem", name="Delete…").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()

        await expect(page.get_by_text("Deleted", exact=True)).to_be_visible()
        await expect(page.get_by_role("button", name="Save", exact=True)).to_have_count(0)
        await expect(page.get_by_role("tabpanel")).to_contain_text("Hello!")
        assert await violations(page) == []
        assert (await read(client, template, "deletedAt"))["deletedAt"] is not None
        await page.get_by_role("link", name="Prompts").first.click()
        await expect(page.get_by_role("heading", name="There are no prompts yet")).to_be_visible()


async def _labels(client: GraphQLClient, template: str) -> list[tuple[str, int]]:
    labels = (await read(client, template, "labels { label version }"))["labels"]
    return [(label["label"], label["version"]) for label in labels]
