"""A real browser for tests: the Chromium of the system, driven headless, with everything a page did written down."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import ConsoleMessage, Page, WebSocket, async_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

# No sandbox, because tests may run as root in a container. The rest keeps Chromium from calls of its own, and the
# resolver rule keeps a page that does call out from reaching anybody.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)

_PERMISSIONS = ("clipboard-read", "clipboard-write")

_TIMEOUT_MILLISECONDS = 20_000
"""For each single wait. A page is up in about two seconds; a loaded machine may need ten times that."""

_REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (violation) =>
  console.error(`refused by policy: ${violation.violatedDirective} ${violation.blockedURI}`)
);
"""


@dataclass
class Visit:
    """One page and what it did: each request, each socket, each complaint (console, exception, policy violation)."""

    page: Page
    requests: list[str] = field(default_factory=list)
    sockets: list[WebSocket] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfailed", lambda request: self.complaints.append(f"{request.url}: {request.failure}"))
        self.page.on("websocket", lambda socket: self.sockets.append(socket))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


def find_chromium() -> str | None:
    """The path of the system's Chromium, where there is one: tests never fetch a browser."""
    return next((path for path in map(shutil.which, _NAMES) if path is not None), None)


@asynccontextmanager
async def visit(executable: str, url: str) -> AsyncIterator[Visit]:
    """A page at `url` in a fresh profile; browser and driver are gone afterwards."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=_ARGUMENTS)
        try:
            page = await browser.new_page(viewport={"width": 1280, "height": 800}, permissions=_PERMISSIONS)
            page.set_default_timeout(_TIMEOUT_MILLISECONDS)
            await page.add_init_script(_REPORT_VIOLATIONS)
            visited = Visit(page)
            await page.goto(url)
            yield visited
        finally:
            await browser.close()
