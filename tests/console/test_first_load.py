"""How much script the first page takes, and what comes with every answer of the console."""

from pathlib import Path

import httpx2
import pytest
from playwright.async_api import Request

from app.pages.console import PAGES, console
from tests.console.conftest import Tabs
from tests.web.browser import Visit, fresh_profile

MOST_BYTES = 300_000
"""Of compressed script, for the first page."""


async def test_first_load_of_the_chat_is_small(tabs: Tabs) -> None:
    profile = await fresh_profile(tabs.browser)
    seen = Visit(await profile.new_page())
    tabs.opened.append(seen)
    finished: list[Request] = []
    seen.page.on("requestfinished", lambda request: finished.append(request))

    await seen.page.goto(f"{tabs.url}/chat", wait_until="networkidle")

    await seen.page.get_by_role("heading", level=1).wait_for()
    sizes = {
        request.url.rpartition("/")[2]: (await request.sizes())["responseBodySize"]
        for request in finished
        if request.resource_type == "script"
    }
    assert len(sizes) > 1
    assert sum(sizes.values()) <= MOST_BYTES, sizes


@pytest.mark.parametrize("path", ["/", *(f"/{page}" for page in PAGES), "/chat/Q2hhdFNlc3Npb246MQ=="])
async def test_every_page_comes_with_its_policy_and_is_asked_for_anew(served_url: str, path: str) -> None:
    async with httpx2.AsyncClient(base_url=served_url) as http:
        page = await http.get(path)
        again = await http.get(path, headers={"If-None-Match": page.headers["etag"]})

    assert (page.status_code, again.status_code) == (200, 304)
    policy = page.headers["content-security-policy"]
    assert "require-trusted-types-for 'script'" in policy
    assert "trusted-types 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-cache"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-content-type-options"] == "nosniff"


async def test_assets_are_compressed_and_kept(served_url: str, console_folder: Path) -> None:
    scripts = sorted((console().folder / "assets").glob("*.js"))

    async with httpx2.AsyncClient(base_url=served_url) as http:
        for script in scripts:
            answer = await http.get(f"/assets/{script.name}", headers={"Accept-Encoding": "gzip"})
            assert answer.content == script.read_bytes()
            assert answer.headers.get("content-encoding") == ("gzip" if len(answer.content) >= 1_024 else None)
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_source_of_nothing_else_is_served(served_url: str) -> None:
    async with httpx2.AsyncClient(base_url=served_url) as http:
        for path in ("/nowhere", "/assets/nothing.js", "/index.html", "/console", "/assets/"):
            assert (await http.get(path)).status_code == 404
