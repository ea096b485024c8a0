"""The server goes, and comes back: the page says so, and goes on."""

import socket
from pathlib import Path

from playwright.async_api import expect

from benchmarks.chromium import launched
from tests.console.conftest import Tabs
from tests.processes import serving


async def test_page_tells_that_the_server_is_away_and_goes_on_when_it_is_back(
    chromium: str, console_folder: Path, dsn: str, tmp_path: Path
) -> None:
    port = _free_port()
    async with launched(chromium) as browser:
        async with serving(tmp_path, "--port", port, DATABASE_URL=dsn) as served:
            async with served.client() as client:
                await client.create_session(title="Trip to Lisbon")
            tabs = Tabs(browser, await served.address())
            seen = await tabs.open("/audit")
            page, banner = seen.page, seen.page.get_by_role("status").get_by_text("Reconnecting…")
            await page.get_by_role("article", name="Session created, number 1").wait_for()
            await expect(banner).to_have_count(0)
            tabs.require_calm()

        # The socket of the page has noticed.
        await expect(banner).to_be_visible()
        await page.get_by_role("textbox", name="Done by").fill("alice")
        await page.keyboard.press("Enter")
        await page.get_by_role("heading", name="The server cannot be reached.").wait_for()

        async with serving(tmp_path, "--port", port, DATABASE_URL=dsn) as served:
            await served.address()
            await expect(banner).to_have_count(0, timeout=20_000)
            # Nobody has asked again: the page did.
            await page.get_by_role("article", name="Session created, number 1").wait_for()


def _free_port() -> int:
    """One that nobody listens on: the server comes back where it was."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
