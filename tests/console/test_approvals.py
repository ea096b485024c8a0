"""The inbox of approvals: what awaits a person comes and goes by itself, in every tab."""

from datetime import UTC, datetime, timedelta

from playwright.async_api import Locator, Page, expect

from tests.console.asking import asking, requested
from tests.console.conftest import Tabs, violations

_OUTCOME = """query ($id: ID!) {
  toolExecution(id: $id) { status approved approvedBy decisionComment input approvalExpiresAt }
}"""


async def test_request_appears_by_itself_and_goes_where_it_is_decided(tabs: Tabs) -> None:
    first = await tabs.open("/approvals")
    await first.page.get_by_role("heading", name="No tool awaits your approval").wait_for()
    second = await tabs.another(first, "/approvals")
    await second.page.get_by_role("heading", name="No tool awaits your approval").wait_for()

    async with asking(tabs.url) as alice:
        session = await alice.create_session(title="Trip to Porto")
        booking = await requested(alice, session, "book_train")
        other = await requested(alice, session, "send_mail")
        await expect(_item(first.page, "book_train")).to_contain_text("Trip to Porto")
        await expect(_item(first.page, "book_train")).to_contain_text('"to": "Porto"')
        await expect(_item(second.page, "send_mail")).to_be_visible()
        await expect(first.page.get_by_role("tab", name="Tool calls (2)")).to_be_visible()
        await expect(first.page.get_by_role("link", name="Approvals 2 waiting")).to_be_visible()
        assert await violations(first.page) == []
        await _item(first.page, "book_train").get_by_role("button", name="Approve").click()

        await expect(_item(first.page, "book_train")).to_have_count(0)
        await expect(_item(second.page, "book_train")).to_have_count(0)
        await expect(_item(second.page, "send_mail")).to_be_visible()
        await alice.mutate("decideToolExecution", "toolExecution { id }", {"toolExecutionId": other, "approve": False})
        await expect(second.page.get_by_role("heading", name="No tool awaits your approval")).to_be_visible()
        outcome = (await alice.data(_OUTCOME, {"id": booking}))["toolExecution"]
        assert (outcome["status"], outcome["approved"], outcome["approvedBy"]) == ("PENDING", True, "alice")


async def test_rejection_carries_the_comment(tabs: Tabs) -> None:
    async with asking(tabs.url) as alice:
        booking = await requested(alice, await alice.create_session(), "book_train")
        seen = await tabs.open("/approvals")

        await seen.page.get_by_role("textbox", name="Comment on book_train").fill("too dear")
        await _item(seen.page, "book_train").get_by_role("button", name="Reject").click()

        await expect(seen.page.get_by_role("heading", name="No tool awaits your approval")).to_be_visible()
        outcome = (await alice.data(_OUTCOME, {"id": booking}))["toolExecution"]
        assert (outcome["status"], outcome["approved"], outcome["decisionComment"]) == ("CANCELLED", False, "too dear")


async def test_keys_go_through_the_list_and_decide(tabs: Tabs) -> None:
    async with asking(tabs.url) as alice:
        session = await alice.create_session()
        ids = [await requested(alice, session, name) for name in ("first_tool", "second_tool", "third_tool")]
        seen = await tabs.open("/approvals")
        await _item(seen.page, "first_tool").focus()

        await seen.page.keyboard.press("j")
        await expect(_item(seen.page, "second_tool")).to_be_focused()
        await seen.page.keyboard.press("a")
        await expect(_item(seen.page, "second_tool")).to_have_count(0)
        await expect(_item(seen.page, "third_tool")).to_be_focused()
        await seen.page.keyboard.press("r")
        await expect(_item(seen.page, "third_tool")).to_have_count(0)
        await expect(_item(seen.page, "first_tool")).to_be_focused()

        approved = [(await alice.data(_OUTCOME, {"id": each}))["toolExecution"]["approved"] for each in ids]
        assert approved == [None, True, False]


async def test_expired_request_can_no_longer_be_decided(tabs: Tabs) -> None:
    async with asking(tabs.url) as alice:
        await requested(alice, await alice.create_session(), "book_train", approvalExpiresInSeconds=3_600)
        seen = await tabs.open("/approvals")
        await expect(_item(seen.page, "book_train")).to_contain_text("expires in 59 min")

        await seen.page.clock.set_fixed_time(datetime.now(UTC) + timedelta(hours=1))

        await expect(_item(seen.page, "book_train")).to_contain_text("expired")
        await expect(_item(seen.page, "book_train").get_by_role("button", name="Approve")).to_be_disabled()
        await expect(_item(seen.page, "book_train").get_by_role("button", name="Reject")).to_be_disabled()


async def test_inbox_fits_a_phone(tabs: Tabs) -> None:
    async with asking(tabs.url) as alice:
        await requested(alice, await alice.create_session(title="T" * 200), "a_tool_with_quite_a_long_name" * 3)
    seen = await tabs.open("/approvals", width=360, height=740)

    await seen.page.get_by_role("button", name="Approve").wait_for()
    assert await seen.page.evaluate("document.documentElement.scrollWidth") == 360
    assert await violations(seen.page) == []


def _item(page: Page, tool: str) -> Locator:
    return page.get_by_role("article", name=tool)
