"""Pages of a real browser for tests, with everything that each of them did written down."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, WebSocket

from benchmarks.chromium import launched

_PERMISSIONS = ("clipboard-read", "clipboard-write")

TIMEOUT_MILLISECONDS = 20_000
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
        self.page.on("requestfailed", self._failed)
        self.page.on("websocket", lambda socket: self.sockets.append(socket))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)

    def _failed(self, request: Request) -> None:
        # What a page calls off itself, such as a search that the next letter makes idle, has not failed.
        if request.failure != "net::ERR_ABORTED":
            self.complaints.append(f"{request.url}: {request.failure}")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


async def fresh_profile(browser: Browser, width: int = 1280, height: int = 800) -> BrowserContext:
    """A profile that knows nothing yet; its pages are tabs that share what they keep."""
    profile = await browser.new_context(viewport={"width": width, "height": height}, permissions=_PERMISSIONS)
    profile.set_default_timeout(TIMEOUT_MILLISECONDS)
    await profile.add_init_script(_REPORT_VIOLATIONS)
    return profile


async def visited(profile: BrowserContext, url: str) -> Visit:
    """A page at `url`."""
    seen = Visit(await profile.new_page())
    await seen.page.goto(url)
    return seen


@asynccontextmanager
async def visit(executable: str, url: str) -> AsyncIterator[Visit]:
    """A page at `url` in a fresh profile of a browser of its own."""
    async with launched(executable) as browser:
        yield await visited(await fresh_profile(browser), url)
