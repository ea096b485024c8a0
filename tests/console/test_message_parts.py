"""What a message is made of: its text, the calls of tools with their approval, its files, and how it came about."""

import json
from typing import Any

from anyio import Path as AsyncPath
from playwright.async_api import Page, expect

from tests.client import GraphQLClient
from tests.console.asking import asking
from tests.console.conftest import Tabs, violations
from tests.console.reading import attach, picture
from tests.worlds import add_call

_TEXT = """## Plan

Take the **night train**, see [the map](https://maps.example/a).

| from | to |
|---|---|
| Porto | Lisbon |

- [x] booked

```python
def leave(at: str) -> int:
    return 1
```
"""

_ARGUMENTS = '{"to":"Porto","seats":[1,12345678901234567890]}'

_EXECUTION = "query ($id: ID!) { toolExecution(id: $id) { status approved approvedBy decisionComment } }"


async def _requested(client: GraphQLClient, session: str, **input_: Any) -> str:
    """The id of an execution that awaits approval, in a new message."""
    message = (await client.reply(session, "I book it.", callsTools=True))["message"]["id"]
    call = await add_call(client, message, name="book_train", arguments=_ARGUMENTS)
    wanted = {"toolCallId": call, "requiredApproval": True, **input_}
    payload = await client.mutate("addToolExecution", "toolExecution { id }", wanted)
    return str(payload["toolExecution"]["id"])


async def _execution(client: GraphQLClient, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = (await client.data(_EXECUTION, {"id": id_}))["toolExecution"]
    return found


async def _open(tabs: Tabs, session: str, width: int = 1280, height: int = 800) -> Page:
    page = (await tabs.open(f"/chat/{session}", width=width, height=height)).page
    await page.get_by_role("region", name="Trip").wait_for()
    return page


async def test_text_with_its_marks(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session = await client.create_session(title="Trip")
        await client.say(session, "Where **to**?")
        await client.reply(
            session, _TEXT, modelUsed="local:echo", tokensUsed=42, processingTimeMs=1500,
            intent={"name": "travel", "confidence": 0.75, "keywords": ["train"]},
            contextItems={"documentChunks": [{"title": "Timetable", "page": 7}]},
        )  # fmt: skip
    page = await _open(tabs, session)

    await page.get_by_role("strong").filter(has_text="to").first.wait_for()
    await expect(page.get_by_role("heading", name="Plan", level=3)).to_be_visible()
    assert await page.get_by_role("cell").all_text_contents() == ["Porto", "Lisbon"]
    await expect(page.get_by_role("img", name="done", exact=True)).to_be_visible()
    link = page.get_by_role("link", name="the map")
    assert await link.get_attribute("href") == "https://maps.example/a"
    assert await link.get_attribute("rel") == "noopener noreferrer nofollow"
    code = page.get_by_role("figure", name="python")
    await expect(code.locator("span", has_text="def").first).to_be_visible()
    await code.get_by_role("button", name="Copy").click()
    await expect(code.get_by_role("button", name="Copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == "def leave(at: str) -> int:\n    return 1"

    await page.get_by_text("Details").last.click()
    facts = await page.get_by_role("definition").all_text_contents()
    assert {"local:echo", "42", "1.5 s", "travel (75%)", "train"} <= set(facts)
    await expect(page.get_by_role("figure", name="Part of a document")).to_contain_text('"title": "Timetable"')
    assert await violations(page) == []


async def test_call_with_what_came_of_it(tabs: Tabs) -> None:
    output = json.dumps({"rows": [f"line {number}" for number in range(2_000)]})
    async with asking(tabs.url) as client:
        session = await client.create_session(title="Trip")
        message = (await client.reply(session, "I look.", callsTools=True))["message"]["id"]
        call = await add_call(client, message, name="search", arguments=_ARGUMENTS)
        added = await client.mutate("addToolExecution", "toolExecution { id }", {"toolCallId": call})
        done = {"toolExecutionId": added["toolExecution"]["id"], "status": "COMPLETED", "output": output}
        await client.mutate("updateToolExecution", "toolExecution { id }", done)
        failed = await add_call(
            client, message, name="pay", arguments="not JSON", success=False, error="no money", durationMs=2100
        )
        assert failed
    page = await _open(tabs, session)

    search = page.get_by_role("group", name="Call of search")
    await expect(search).to_contain_text("Done")
    await expect(search.get_by_role("figure", name="Arguments")).to_contain_text(
        '"seats": [\n    1,\n    123456789012345'
    )
    result = search.get_by_role("figure", name="Result")
    assert "line 1999" not in await result.inner_text()
    await search.get_by_role("button", name="fetch the rest").click()
    await search.get_by_role("button", name="Show all of it").click()
    await expect(result).to_contain_text('"line 1999"')
    pay = page.get_by_role("group", name="Call of pay")
    await expect(pay).to_contain_text("Failed2.1 s")
    await expect(pay).to_contain_text("no money")
    assert await violations(page) == []


async def test_approval_beside_the_call(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session = await client.create_session(title="Trip")
        first = await _requested(client, session, input='{"to":"Porto","seats":[3]}')
        second = await _requested(client, session)
        page = await _open(tabs, session)
        calls = page.get_by_role("group", name="Call of book_train")

        await expect(calls.first.get_by_role("figure", name="What the tool will be given")).to_contain_text("3")
        assert await violations(page) == []
        await calls.first.get_by_role("textbox", name="Comment").fill("cheap enough")
        await calls.first.get_by_role("button", name="Approve").click()
        await expect(calls.first).to_contain_text("Approved by alice: cheap enough")
        await expect(calls.first.get_by_role("group", name="Approval")).to_have_count(0)
        await calls.nth(1).get_by_role("button", name="Reject").click()
        await expect(calls.nth(1)).to_contain_text("Rejected by alice")

        approved = {"status": "PENDING", "approved": True, "approvedBy": "alice", "decisionComment": "cheap enough"}
        assert await _execution(client, first) == approved
        assert (await _execution(client, second))["approved"] is False


async def test_who_is_late_is_told_who_was_faster(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session = await client.create_session(title="Trip")
        execution = await _requested(client, session)
        page = await _open(tabs, session)
        reject = page.get_by_role("button", name="Reject")
        await reject.wait_for()
        await client.mutate(
            "decideToolExecution", "toolExecution { id }", {"toolExecutionId": execution, "approve": True}
        )

        await reject.click()

        await expect(page.get_by_text("alice was faster: this was approved already.")).to_be_visible()
        await expect(page.get_by_role("group", name="Call of book_train")).to_contain_text("Approved by alice")
        assert (await _execution(client, execution))["approved"] is True


async def test_files_are_shown_kept_and_deleted(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session = await client.create_session(title="Trip")
        message = (await client.say(session, "see these"))["message"]["id"]
        await attach(client, message, "red.png", picture())
        await attach(client, message, "plan.txt", b"go early " * 200)
        page = await _open(tabs, session)
        files = page.get_by_role("list", name="Attachments")

        await expect(files).to_contain_text("1.8 kB")
        image = files.get_by_role("img", name="red.png")
        await image.wait_for()
        await page.wait_for_function("image => image.naturalWidth === 1", arg=await image.element_handle())
        assert await violations(page) == []
        async with page.expect_download() as downloading:
            await page.get_by_role("button", name="Download plan.txt").click()
        kept = await downloading.value
        assert kept.suggested_filename == "plan.txt"
        assert await AsyncPath(await kept.path()).read_bytes() == b"go early " * 200

        await page.get_by_role("button", name="Delete red.png").click()
        await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        await expect(files.get_by_role("listitem")).to_have_count(1)
        found = await client.data("query ($id: ID!) { message(id: $id) { attachments { fileName } } }", {"id": message})
        assert found["message"]["attachments"] == [{"fileName": "plan.txt"}]


async def test_failed_answer_says_why_on_a_phone_too(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session = await client.create_session(title="Trip")
        await client.reply(
            session, "I began " + "x" * 400, status="FAILED", errorCode="PROVIDER_TIMEOUT", errorMessage="no answer"
        )
    page = await _open(tabs, session, width=360, height=740)

    await expect(page.get_by_text("PROVIDER_TIMEOUT")).to_be_visible()
    await expect(page.get_by_text("no answer")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    assert await violations(page) == []
