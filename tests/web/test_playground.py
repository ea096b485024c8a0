"""The built playground in a real browser: it runs operations, and speaks to nobody but its own server."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from playwright.async_api import Page
from pydantic import SecretStr

from app.asgi import create_app
from app.core.settings import load_settings
from app.pages.playground import playground
from benchmarks.chromium import find_chromium
from tests.graph.small_app import application
from tests.identity.credentials import TOKENS
from tests.web.browser import Visit, visit
from tests.web.server import serving


@pytest.fixture
def built() -> None:
    """The playground; the test is skipped where it was not built."""
    if not (playground().folder / "index.html").is_file():
        pytest.skip("the playground is not built: run `make setup`")


@pytest.fixture
def base_url(built: None, dsn: str) -> Iterator[str]:
    """The real server, over a database of the test's own."""
    with serving(create_app(load_settings(database_url=SecretStr(dsn)))) as url:
        yield url


@pytest.fixture
def small_url(built: None) -> Iterator[str]:
    """The small schema, which has subscriptions."""
    with serving(application(playground().folder)) as url:
        yield url


@pytest.fixture(scope="module")
def chromium() -> str:
    """The path of a Chromium."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on the PATH")
    return path


async def test_first_query_runs_by_the_button(chromium: str, base_url: str) -> None:
    await _create_session(base_url, "Trip to Lisbon")

    async with _playground(chromium, base_url) as visited:
        await visited.page.get_by_role("button", name=re.compile("^Execute query")).click()

        await _answer(visited.page, "Trip to Lisbon")
        _assert_kept_to_itself(visited, base_url)
        assert visited.sockets == []


async def test_query_runs_by_the_keyboard_with_its_headers(chromium: str, base_url: str) -> None:
    async with _playground(chromium, base_url) as visited:
        await _write(visited.page, "Headers", '{"X-Colloquy-User": "alice@acme"}')
        await _write(visited.page, "Operation Editor", "{ viewer { userId tenantId } }")
        await visited.page.keyboard.press("Control+Enter")

        await _answer(visited.page, '"userId": "alice"')
        _assert_kept_to_itself(visited, base_url)


async def test_subscription_opens_the_one_socket_of_the_page(chromium: str, small_url: str) -> None:
    async with _playground(chromium, small_url) as visited:
        await _write(visited.page, "Headers", '{"X-Colloquy-User": "alice@acme"}')
        await _write(visited.page, "Operation Editor", "subscription { greetings(count: 3) }")
        assert visited.sockets == []
        await visited.page.keyboard.press("Control+Enter")

        await _answer(visited.page, "greeting 3 to alice@acme")
        assert [socket.url for socket in visited.sockets] == [f"{small_url.replace('http', 'ws')}/graphql"]
        _assert_kept_to_itself(visited, small_url)


async def test_stopped_subscription_closes_its_socket(chromium: str, small_url: str) -> None:
    async with _playground(chromium, small_url) as visited:
        await _write(visited.page, "Operation Editor", "subscription { patience }")
        await visited.page.keyboard.press("Control+Enter")
        await _answer(visited.page, '"patience": 1')
        (socket,) = visited.sockets
        assert not socket.is_closed()

        async with socket.expect_event("close"):
            await visited.page.get_by_role("button", name=re.compile("^Stop query")).click()

        assert socket.is_closed()


async def test_a_token_in_the_headers_lets_in_requests_sockets_and_the_schema(chromium: str, built: None) -> None:
    with serving(application(playground().folder, TOKENS.authenticator)) as url:
        async with _playground(chromium, url) as visited:
            await _write(visited.page, "Headers", json.dumps(dict(TOKENS.shown("alice@acme"))))
            async with visited.page.expect_response("**/graphql") as answered:
                await visited.page.get_by_role("button", name=re.compile("^Re-fetch GraphQL schema")).click()
            assert "__schema" in (await (await answered.value).json())["data"]

            await _write(visited.page, "Operation Editor", "{ me }")
            await visited.page.keyboard.press("Control+Enter")
            await _answer(visited.page, '"me": "alice@acme"')

            await _write(visited.page, "Operation Editor", "subscription { greetings(count: 3) }")
            await visited.page.keyboard.press("Control+Enter")
            await _answer(visited.page, "greeting 3 to alice@acme")


async def test_every_panel_keeps_to_itself(chromium: str, base_url: str) -> None:
    async with _playground(chromium, base_url) as visited:
        for panel in ("Documentation Explorer", "History", "GraphiQL Explorer"):
            await visited.page.get_by_role("button", name=f"Show {panel}").click()
            await visited.page.get_by_role("button", name=f"Hide {panel}").wait_for()
        await visited.page.get_by_role("button", name=re.compile("^Prettify query")).click()
        await visited.page.get_by_role("button", name="Open settings dialog").click()
        await visited.page.get_by_role("button", name="Dark").click()
        await visited.page.locator("body.graphiql-dark").wait_for()

        _assert_kept_to_itself(visited, base_url)


async def _create_session(base_url: str, title: str) -> None:
    query = "mutation ($title: String!) { createSession(input: {title: $title}) { success } }"
    async with httpx2.AsyncClient(base_url=base_url) as http:
        answer = await http.post("/graphql", json={"query": query, "variables": {"title": title}})
        assert answer.json()["data"]["createSession"]["success"]


@asynccontextmanager
async def _playground(chromium: str, base_url: str) -> AsyncIterator[Visit]:
    """The playground once its editors are there: the run button shows earlier, and does nothing until they are."""
    async with visit(chromium, f"{base_url}/graphiql") as visited:
        await visited.page.locator(".graphiql-query-editor .view-line", has_text="RecentSessions").wait_for()
        await visited.page.locator(".result-window .view-lines").wait_for(state="attached")
        yield visited


async def _answer(page: Page, text: str) -> None:
    """Waits until the response pane shows this text."""
    await page.locator(".result-window .view-lines").filter(has_text=text).wait_for()


async def _write(page: Page, editor: str, text: str) -> None:
    """Replaces what an editor holds. Pasted, because Monaco closes brackets and completes words as they are typed."""
    await page.evaluate("text => navigator.clipboard.writeText(text)", text)
    lines = page.get_by_label(editor, exact=True).locator(".view-lines:visible")
    await lines.click()
    await page.keyboard.press("Control+A")
    await page.keyboard.press("Control+V")
    # The clipboard is read asynchronously: the next key may arrive before the text does.
    await lines.filter(has_text=text).wait_for()


def _assert_kept_to_itself(visited: Visit, base_url: str) -> None:
    assert visited.complaints == []
    assert [url for url in visited.requests if not url.startswith((f"{base_url}/", "data:"))] == []
