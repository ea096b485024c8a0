"""Takes a picture of the playground of a running server, with its first query and what the server answers.

    python docs/screenshot.py http://127.0.0.1:8000 docs/playground.png [--dark]

Needs a Chromium on the PATH and the development dependencies.
"""

import argparse
import re
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

_WIDTH, _HEIGHT = 1280, 800

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

# No sandbox, because root in a container has none; the rest keeps Chromium from calls of its own.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def main() -> None:
    """Reads the command line and writes one PNG of 1280 x 800."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="where the server listens")
    parser.add_argument("picture", type=Path, help="the PNG to write")
    parser.add_argument("--dark", action="store_true", help="as a system set to dark would show it")
    asked = parser.parse_args()
    chromium = next((path for path in map(shutil.which, _NAMES) if path is not None), None)
    if chromium is None:
        sys.exit("no Chromium on the PATH")
    take(chromium, asked.url.rstrip("/"), asked.picture, dark=asked.dark)


def take(chromium: str, url: str, picture: Path, *, dark: bool) -> None:
    """Opens the playground, runs what its editor holds, and writes the picture once the answer is on the screen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT}, color_scheme="dark" if dark else "light")
        page.goto(f"{url}/graphiql")
        # The run button shows before the editors do, and does nothing until they are there.
        page.locator(".graphiql-query-editor .view-line").first.wait_for()
        page.locator(".result-window .view-lines").wait_for(state="attached")
        page.get_by_role("button", name=re.compile("^Execute query")).click()
        page.locator(".result-window .view-line", has_text='"data"').wait_for()
        # Away from the button; then time for tooltip and scroll bar to go, and for the colours of the answer to come.
        page.mouse.move(_WIDTH / 2, 2)
        page.wait_for_timeout(2_000)
        page.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    main()
