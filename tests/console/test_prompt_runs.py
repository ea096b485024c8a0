"""A prompt tried beside its editor: the answer streams, and is the API's."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Page, expect

from tests.client import GraphQLClient
from tests.console.asking import asking
from tests.console.conftest import Tabs, violations
from tests.console.prompting import LONG, SHOP, choose, opened
from tests.prompts.scenes import a_template, read

_RUN = """query ($id: ID!) { run(id: $id) { status model temperature usage { input output }
  session { id } promptMessage { content } message { content }
  promptExecution { variables templateVersion { version } } } }"""


async def _run(client: GraphQLClient, page: Page) -> dict[str, Any]:
    """The run that the page follows, as the API has it."""
    run_id = parse_qs(urlsplit(page.url).query)["run"][0]
    found: dict[str, Any] = (await client.data(_RUN, {"id": run_id}))["run"]
    return found


async def _ask(page: Page, **values: str) -> None:
    test = page.get_by_role("region", name="Test run")
    for name, value in values.items():
        await test.get_by_role("textbox", name=name).fill(value)
    await choose(test, "Model", "local:echo")
    await test.get_by_role("button", name="Run").click()


async def test_version_is_tried_and_its_answer_streams(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        template = await a_template(client, **SHOP)
        page = await opened(tabs, template)
        await page.get_by_role("textbox", name="Temperature").fill("0.5")
        await _ask(page, shop="Colloquy", words="3", question="Where is my parcel?")

        answer = page.get_by_role("region", name="Answer")
        await expect(answer).to_contain_text("Completed")
        run = await _run(client, page)
        assert (run["status"], run["model"], run["temperature"]) == ("COMPLETED", "local:echo", 0.5)
        values = {"shop": "Colloquy", "words": 3, "question": "Where is my parcel?"}
        assert run["promptExecution"] == {"variables": values, "templateVersion": {"version": 1}}
        assert run["message"]["content"] == "You answer for Colloquy, in at most 3 words.\n\nWhere is my parcel?"
        for line in run["message"]["content"].split("\n\n"):
            await expect(answer).to_contain_text(line)
        await expect(answer).to_contain_text("Version 1 · local:echo")
        used = run["usage"]
        await expect(answer).to_contain_text(f"{used['input']} read, {used['output']} written")
        assert await violations(page) == []
        link = answer.get_by_role("link", name="Open the conversation")
        href = await link.get_attribute("href") or ""
        assert href.replace("%3D", "=") == f"/chat/{run['session']['id']}"


async def test_unsaved_text_is_asked_as_the_server_would_render_it(tabs: Tabs, served_url: str) -> None:
    variables = [
        {"name": "text"},
        {"name": "number", "type": "NUMBER", "default": 0.5},
        {"name": "sure", "type": "BOOLEAN", "required": False},
        {"name": "facts", "type": "JSON"},
        {"name": "nothing", "required": False},
    ]
    content = "{{{{ {{text}} {{ number }} {{sure}} {{facts}}{{nothing}} }} end"
    values = {"text": "{{facts}} $& \\1", "sure": True, "facts": {"b": [1, "ü"], "a": None}}
    async with asking(served_url) as client:
        template = await a_template(client, content=content, variables=variables)
        page = await opened(tabs, template)
        await page.get_by_role("textbox", name="Text", exact=True).fill(content + ".")
        test = page.get_by_role("region", name="Test run")
        await choose(test, "sure", "true")
        await _ask(page, text=str(values["text"]), facts='{"b": [1, "ü"], "a": null}')
        await expect(page.get_by_role("region", name="Answer")).to_contain_text("Unsaved text")
        asked = (await _run(client, page))["promptMessage"]["content"]

        execution = {"templateId": template, "variables": values, "model": "local:echo"}
        saved = await client.mutate("executePrompt", "userMessage { content }", execution)
        assert asked == saved["userMessage"]["content"] + "."
        assert (await read(client, template, "version statistics { count }")) == {
            "version": 1,
            "statistics": {"count": 1},
        }


async def test_saved_version_can_be_asked_beside_unsaved_text(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        template = await a_template(client, content="As it was saved")
        page = await opened(tabs, template)
        await page.get_by_role("textbox", name="Text", exact=True).fill("As it is now")
        await choose(page, "What is asked", "Version 1, as it was saved")
        await _ask(page)

        await expect(page.get_by_role("region", name="Answer")).to_contain_text("As it was saved")
        assert (await _run(client, page))["promptExecution"]["templateVersion"] == {"version": 1}


async def test_answer_goes_on_after_a_reload_and_is_stopped(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        template = await a_template(client, content="{{text}}", variables=[{"name": "text"}])
        page = await opened(tabs, template)
        await _ask(page, text=LONG)
        answer = page.get_by_role("region", name="Answer")
        await expect(answer).to_contain_text("word9 ")

        await page.reload()
        await expect(answer).to_contain_text("word1 word2 word3")
        await expect(answer).to_contain_text("Writing")
        assert await violations(page) == []
        await answer.get_by_role("button", name="Stop").click()
        await expect(answer).to_contain_text("Stopped")

        run = await _run(client, page)
        assert run["status"] == "CANCELLED"
        assert LONG.startswith(run["message"]["content"])
        assert run["message"]["content"] in await answer.inner_text()
        await expect(answer.get_by_role("button", name="Stop")).to_have_count(0)


async def test_nothing_is_asked_without_a_value_that_is_needed(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        template = await a_template(client, **SHOP)
        page = await opened(tabs, template)

        await _ask(page, shop="Colloquy", words="many")
        await expect(page.get_by_role("alert")).to_contain_text("words: This must be a whole number.")
        await _ask(page, words="")
        await expect(page.get_by_role("alert")).to_contain_text("question needs a value.")

        assert (await read(client, template, "statistics { count }"))["statistics"]["count"] == 0
        assert await violations(page) == []


async def test_run_that_is_not_there_is_told(tabs: Tabs, served_url: str) -> None:
    async with asking(served_url) as client:
        template = await a_template(client)

    page = await opened(tabs, template, "?run=UnVuOjAxYTIwMGFiLTZlNzctNzIzMi05NGI1LTQ5NmEwZDIzMzE3YQ==")

    await expect(page.get_by_role("alert")).to_be_visible()
    await expect(page.get_by_role("button", name="Run")).to_be_enabled()
