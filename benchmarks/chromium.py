"""The system's Chromium, driven headless: for measurements, and for tests in a browser."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

# No sandbox, because tests may run as root in a container. The rest keeps Chromium from calls of its own, and the
# resolver rule keeps a page that does call out from reaching anybody.
_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def find_chromium() -> str | None:
    """The path of the system's Chromium, where there is one: a browser is never fetched."""
    return next((path for path in map(shutil.which, _NAMES) if path is not None), None)


@asynccontextmanager
async def launched(executable: str) -> AsyncIterator[Browser]:
    """A browser without a page; it and its driver are gone afterwards."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=_OPTIONS)
        try:
            yield browser
        finally:
            await browser.close()
