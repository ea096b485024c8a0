"""Texts of somebody who means harm stay texts: nothing runs, nothing is loaded, and no other host is asked."""

import json
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.client import GraphQLClient
from tests.console.asking import asking
from tests.console.conftest import Tabs, violations
from tests.console.reading import attach, pane, rows
from tests.worlds import add_call

_HTML = (
    "<script>window.hit = 1</script><img src=https://evil.example/a onerror='window.hit = 1'>"
    "<svg onload='window.hit = 1'></svg><iframe src=//evil.example></iframe>"
    "<a href='javascript:window.hit = 1'>tempting</a><style>body { display: none }</style>"
)

_MARKDOWN = """[one](javascript:window.hit=1) [two](JAVASCRIPT&colon;window.hit=1) [three](data:text/html,evil)
[four](vbscript:evil) [five](//evil.example) [six][6] <javascript:window.hit=1>

![tracker](https://evil.example/pixel.png) ![script](javascript:window.hit=1)

[6]: javascript:window.hit=1
"""

_LATE = "x" * 50 + _HTML


async def _fill(client: GraphQLClient) -> str:
    """A session in which everything that a person or a model can write is hostile."""
    session = await client.create_session(title=_HTML[:255], tags=["<img src=//evil.example onerror=hit()>"])
    asked = (await client.say(session, f"{_HTML}\n\n{_MARKDOWN}"))["message"]["id"]
    await attach(client, asked, "<img src=x onerror=hit()>.png", b"<svg onload='window.hit=1'></svg>")
    await attach(client, asked, "evil.html", b"<!doctype html><script>window.hit = 1</script>")
    answer = {"intent": {"name": _HTML[:50]}, "contextItems": {"insights": [{"html": _HTML}]}, "callsTools": True}
    answered = (await client.reply(session, f"{_MARKDOWN}\n\n{_HTML}", **answer))["message"]["id"]
    arguments = json.dumps({"html": _HTML})
    await add_call(client, answered, name="<b>tool</b>", arguments=arguments, result=_LATE, success=True)
    await add_call(client, answered, name="fails", arguments=_HTML, success=False, error=_HTML)
    return session


async def _requires_harmless(page: Page, urls: list[str], host: str) -> None:
    assert await page.evaluate("window.hit") is None
    for selector in ("iframe", "body style", "svg[onload]", "[onerror]", "[onclick]", "img[src^=http]"):
        assert await page.locator(selector).count() == 0, selector
    links: list[Any] = await page.eval_on_selector_all("a[href]", "links => links.map(({ href }) => href)")
    assert {link for link in links if not link.startswith(host)} <= {"https://evil.example/pixel.png"}
    assert [url for url in urls if not url.startswith((host, "blob:" + host))] == []


@pytest.mark.parametrize("width", [1280, 360])
async def test_conversation_of_hostile_texts(tabs: Tabs, width: int) -> None:
    async with asking(tabs.url) as client:
        session = await _fill(client)
    seen = await tabs.open(f"/chat/{session}", width=width)
    page = seen.page

    await expect(page.get_by_role("heading", name="<script>window.hit = 1</script>")).to_be_visible()
    tracker = page.get_by_role("link", name="tracker (image)").first
    await tracker.wait_for()
    await expect(tracker).to_have_attribute("rel", "noopener noreferrer nofollow")
    await expect(page.get_by_text("one two three").first).to_be_visible()
    await expect(page.get_by_role("group", name="Call of <b>tool</b>")).to_contain_text(
        "<script>window.hit = 1</script>"
    )
    for details in await page.get_by_text("Details", exact=True).all():
        await details.click()
    await _requires_harmless(page, seen.requests, tabs.url)
    assert await violations(page) == []


async def test_list_and_search_of_hostile_texts(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        await _fill(client)
    seen = await tabs.open("/chat")
    page = seen.page
    await expect(rows(page).first).to_contain_text("<script>window.hit = 1</script>")
    await expect(rows(page).first).to_contain_text("#<img src=//evil.example onerror=hit()>")

    await page.get_by_role("searchbox", name="Search conversations").fill("window.hit")

    await expect(pane(page).get_by_role("list", name="Messages").locator("mark").first).to_be_visible()
    await _requires_harmless(page, seen.requests, tabs.url)


async def test_downloaded_page_is_a_file_and_nothing_that_runs(tabs: Tabs) -> None:
    async with asking(tabs.url) as client:
        session = await _fill(client)
    seen = await tabs.open(f"/chat/{session}")
    # Rows move until all of them have their marks and pictures.
    await seen.page.wait_for_load_state("networkidle")

    async with seen.page.expect_download() as downloading:
        await seen.page.get_by_role("button", name="Download evil.html").click()

    assert (await downloading.value).suggested_filename == "evil.html"
    assert await seen.page.evaluate("window.hit") is None
    assert "/chat/" in seen.page.url
