"""Takes the README's picture: the playground of a running server, with its first query and the answer.

    python -m tests.web.screenshot http://127.0.0.1:8000 docs/playground.png

Needs a Chromium on the PATH.
"""

import asyncio
import re
import sys
from pathlib import Path

from tests.web.browser import find_chromium, visit


async def take(url: str, picture: Path) -> None:
    """Open the playground, run what its editor holds, and write a PNG of 1280 x 800 once the answer is there."""
    chromium = find_chromium()
    if chromium is None:
        sys.exit("no Chromium on the PATH")
    async with visit(chromium, f"{url}/graphiql") as visited:
        page = visited.page
        # The run button shows before the editors do, and does nothing until they are there.
        await page.locator(".graphiql-query-editor .view-line").first.wait_for()
        await page.locator(".result-window .view-lines").wait_for(state="attached")
        await page.get_by_role("button", name=re.compile("^Execute query")).click()
        await page.locator(".result-window .view-line", has_text='"data"').wait_for()
        # Away from the button; then time for its tooltip to go and for the answer's colours to come.
        await page.mouse.move(640, 2)
        await page.wait_for_timeout(2_000)
        await page.screenshot(path=picture)


if __name__ == "__main__":
    asyncio.run(take(sys.argv[1].rstrip("/"), Path(sys.argv[2])))
