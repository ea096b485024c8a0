"""Takes the pictures of the docs: pages of the console of a running server with a filled database.

    colloquy seed --users 3 --sessions 80 --projects 4
    python -m tests.web.screenshot http://127.0.0.1:8000 docs

Needs a Chromium on the PATH.
"""

import asyncio
import sys
from pathlib import Path

from playwright.async_api import Page

from benchmarks.chromium import find_chromium
from tests.web.browser import visit

_QUIET_MILLISECONDS = 2_000
"""For fonts, colours and tooltips to come and go."""


async def take(url: str, folder: Path, quiet_milliseconds: float = _QUIET_MILLISECONDS) -> None:
    """Write a PNG of 1280 x 800 of each page that the docs show."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("no Chromium on the PATH")
    async with visit(chromium, f"{url}/chat") as visited:
        page = visited.page
        await page.get_by_role("link", name="Order").first.click()
        await page.get_by_role("textbox", name="Message").wait_for()
        await _picture(page, folder / "console.png", quiet_milliseconds)
        await page.goto(f"{url}/approvals?show=reviews")
        await page.get_by_role("button", name="Approve").first.wait_for()
        await _picture(page, folder / "console-approvals.png", quiet_milliseconds)
        await page.goto(f"{url}/workflow")
        await page.get_by_role("listitem").filter(has_text="Finished").first.get_by_role("link").click()
        await page.get_by_role("navigation", name="Stages").wait_for()
        await _picture(page, folder / "console-workflow.png", quiet_milliseconds)
        await page.goto(f"{url}/prompts")
        await page.get_by_role("link", name="requirements-analysis").click()
        await page.get_by_role("heading", name="Test run").wait_for()
        await _picture(page, folder / "console-prompts.png", quiet_milliseconds)
        await page.goto(f"{url}/figures")
        await page.get_by_role("heading", name="Over time").wait_for()
        await _picture(page, folder / "console-figures.png", quiet_milliseconds)


async def _picture(page: Page, file: Path, quiet_milliseconds: float) -> None:
    await page.mouse.move(640, 798)
    await page.wait_for_timeout(quiet_milliseconds)
    await page.screenshot(path=file)


if __name__ == "__main__":
    asyncio.run(take(sys.argv[1].rstrip("/"), Path(sys.argv[2])))
