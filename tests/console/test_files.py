"""Files on their way to a message: dropped, watched, called off, and sent once more."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.client import GraphQLClient
from tests.console.asking import asking
from tests.console.conftest import Tabs, violations
from tests.console.talking import began, choose_model, composer, messages, send, settled

SLOWLY = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000}
"""A file of LARGE takes some seconds."""

LARGE = 2**21

_FILES = """query ($id: ID!) { session(id: $id) {
  messages(first: 10) { nodes { attachments { fileName size } } } } }"""


async def _drop(page: Page, *files: Path) -> None:
    """Drop files upon the composer, as from the desktop."""
    box = await composer(page).bounding_box()
    assert box is not None
    devtools = await page.context.new_cdp_session(page)
    where = {"x": box["x"] + 40, "y": box["y"] + 10}
    data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        await devtools.send("Input.dispatchDragEvent", {"type": kind, **where, "data": data})


async def _slow_down(page: Page) -> None:
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Network.enable")
    await devtools.send("Network.emulateNetworkConditions", SLOWLY)


async def _stored(client: GraphQLClient, session: str) -> list[tuple[str, str]]:
    """Names and sizes of the session's files, in bytes."""
    nodes: list[dict[str, Any]] = (await client.data(_FILES, {"id": session}))["session"]["messages"]["nodes"]
    return [(file["fileName"], file["size"]) for node in nodes for file in node["attachments"]]


async def _cut(route: Route) -> None:
    await route.abort()


def _waiting(page: Page) -> Locator:
    return page.get_by_role("list", name="Files to attach").get_by_role("listitem")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file that takes its time."""
    file = tmp_path / "large.bin"
    file.write_bytes(bytes(range(256)) * (LARGE // 256))
    return file


async def test_files_are_dropped_and_watched_as_they_go(tabs: Tabs, tmp_path: Path, large: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("Tides are late.\n")
    page = (await tabs.open("/chat")).page
    await choose_model(page, "local:echo")

    await _drop(page, note, large)

    await expect(_waiting(page)).to_contain_text(["note.txt", "large.bin"])
    assert await violations(page) == []
    await _slow_down(page)
    await send(page, "Keep these")
    bar = page.get_by_role("progressbar", name="Sending large.bin")
    await expect(bar).to_be_visible()
    assert 0 <= float(await bar.get_attribute("aria-valuenow") or -1) < 100
    session = await began(page)
    await expect(_waiting(page)).to_have_count(0)
    kept = messages(page, "You").get_by_role("list", name="Attachments")
    await expect(kept).to_contain_text("large.bin")

    async with asking(tabs.url) as client:
        assert sorted(await _stored(client, session)) == [("large.bin", str(LARGE)), ("note.txt", "16")]


async def test_file_that_is_called_off_is_not_stored(tabs: Tabs, large: Path) -> None:
    page = (await tabs.open("/chat")).page
    await choose_model(page, "local:echo")
    await _drop(page, large)
    await _slow_down(page)
    await send(page, "Keep this")
    session = await began(page)
    await page.get_by_role("progressbar", name="Sending large.bin").wait_for()

    await page.get_by_role("button", name="Remove large.bin").click()

    await expect(_waiting(page)).to_have_count(0)
    await settled(page)
    async with asking(tabs.url) as client:
        assert await _stored(client, session) == []


async def test_file_whose_way_was_cut_is_sent_again(tabs: Tabs, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("Tides are late.\n")
    seen = await tabs.open("/chat")
    page = seen.page
    await choose_model(page, "local:echo")
    await page.route("**/messages/*/attachments?*", _cut, times=1)
    await _drop(page, note)
    await send(page, "Keep this")
    session = await began(page)
    await expect(_waiting(page).get_by_role("alert")).to_contain_text("cannot be reached")
    await page.get_by_role("button", name="Send note.txt again").click()

    await expect(_waiting(page)).to_have_count(0)
    await expect(messages(page, "You").get_by_role("list", name="Attachments")).to_contain_text("note.txt")
    await settled(page)
    async with asking(tabs.url) as client:
        assert await _stored(client, session) == [("note.txt", "16")]
    assert all("ERR_FAILED" in complaint for complaint in seen.complaints)
    seen.complaints.clear()


async def test_file_that_is_too_large_is_told_before_it_goes(tabs: Tabs, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    with film.open("wb") as file:
        file.truncate(10_485_761)
    page = (await tabs.open("/chat")).page
    await choose_model(page, "local:echo")
    await page.locator('input[type="file"]').set_input_files(film)
    await send(page, "See this")

    await expect(_waiting(page).get_by_role("alert")).to_contain_text("larger than 10 MiB")
    await expect(page.get_by_role("button", name="Send film.mp4 again")).to_have_count(0)
