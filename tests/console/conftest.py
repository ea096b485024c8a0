"""A server with the built console, and pages of it in a real browser, which speak to nobody but that server."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect
from pydantic import SecretStr

from app.asgi import create_app
from app.core.settings import load_settings
from app.pages.console import console
from benchmarks.chromium import find_chromium, launched
from tests.forked import REPOSITORY
from tests.web.browser import TIMEOUT_MILLISECONDS, Visit, fresh_profile, visited
from tests.web.server import serving

AXE = REPOSITORY / "web" / "node_modules" / "axe-core" / "axe.min.js"

expect.set_options(timeout=TIMEOUT_MILLISECONDS)

_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Tabs:
    """Opens pages of the console, and knows what all of them did."""

    browser: Browser
    url: str
    opened: list[Visit] = field(default_factory=list)

    async def open(self, path: str, user: str | None = "alice", width: int = 1280, height: int = 800) -> Visit:
        """A page in a fresh profile, signed in by name as `user`."""
        profile = await fresh_profile(self.browser, width, height)
        if user is not None:
            kept = json.dumps(json.dumps({"kind": "name", "user": user}))
            await profile.add_init_script(f'localStorage.setItem("colloquy.account", {kept});')
        self.opened.append(await visited(profile, self.url + path))
        return self.opened[-1]

    async def another(self, beside: Visit, path: str) -> Visit:
        """A second tab of the same profile."""
        self.opened.append(await visited(beside.page.context, self.url + path))
        return self.opened[-1]

    def require_calm(self) -> None:
        """No page asked another host, broke the policy, or complained."""
        host = urlsplit(self.url).netloc
        for seen in self.opened:
            strangers = [
                url for url in seen.requests if urlsplit(url).scheme != "blob" and urlsplit(url).netloc != host
            ]
            assert strangers == []
            assert seen.complaints == []


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; without one, the test is skipped."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on the PATH")
    return path


@pytest.fixture(scope="session")
def console_folder() -> Path:
    """The folder of the built console; the test is skipped where it was not built."""
    folder = console().folder
    if not (folder / "index.html").is_file():
        pytest.skip("the console is not built: run `make setup`")
    return folder


@pytest.fixture
def served_url(console_folder: Path, dsn: str) -> Iterator[str]:
    """The real server, over a database of the test's own."""
    with serving(create_app(load_settings(database_url=SecretStr(dsn)))) as url:
        yield url


@pytest.fixture
async def tabs(chromium: str, served_url: str) -> AsyncIterator[Tabs]:
    """Pages of the console of that server; at the end none of them may have anything to complain of."""
    async with launched(chromium) as browser:
        opened = Tabs(browser, served_url)
        yield opened
        opened.require_calm()


async def violations(page: Page, within: str = "html") -> list[str]:
    """What axe finds wrong with the page as it is now, or with a part of it, with the elements that it is about."""
    await page.evaluate(AXE.read_text())
    found = await page.evaluate(
        "([within, rules]) => axe.run(within, { runOnly: rules }).then(({ violations }) => violations.map("
        "({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => html + failureSummary).join(' | ')}`))",
        [within, _RULES],
    )
    return list(found)
