"""What tests of the list and of messages ask of the API, and find in the page."""

import asyncio
import struct
import zlib
from collections.abc import Sequence
from typing import Any

from playwright.async_api import Locator, Page

from tests.client import GraphQLClient

_SESSIONS = """query ($filter: SessionFilter) { sessions(filter: $filter, first: 100) {
  nodes { id title status metadata { tags } } } }"""


async def sessions(client: GraphQLClient, **filter_: Any) -> list[dict[str, Any]]:
    """The sessions, last changed first, as stored."""
    found: list[dict[str, Any]] = (await client.data(_SESSIONS, {"filter": filter_}))["sessions"]["nodes"]
    return found


async def titles(client: GraphQLClient, **filter_: Any) -> list[str]:
    """What the list is to show."""
    return [session["title"] for session in await sessions(client, **filter_)]


async def create(client: GraphQLClient, titles: Sequence[str], **input_: Any) -> list[str]:
    """The ids of new sessions; the last one changed last."""
    return [await client.create_session(title=title, **input_) for title in titles]


async def create_many(client: GraphQLClient, count: int) -> None:
    """So many sessions, in some order."""
    at_once = asyncio.Semaphore(8)

    async def one(number: int) -> None:
        async with at_once:
            await client.create_session(title=f"Session {number}")

    await asyncio.gather(*(one(number) for number in range(count)))


async def attach(client: GraphQLClient, message_id: str, name: str, content: bytes) -> dict[str, Any]:
    """A file of a message, as it was stored."""
    answer = await client.http.post(
        f"/messages/{message_id}/attachments",
        params={"fileName": name}, content=content, headers={"content-type": "application/octet-stream"},
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    stored: dict[str, Any] = answer.json()
    return stored


def picture() -> bytes:
    """A PNG of one red pixel."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00\xff\x00\x00")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def pane(page: Page) -> Locator:
    """Where the conversations are listed."""
    return page.get_by_role("region", name="Conversations")


def rows(page: Page) -> Locator:
    """The links to conversations in the list, or among what a search found."""
    return pane(page).get_by_role("list", name="Conversations").get_by_role("link")


async def listed(page: Page, titles: Sequence[str]) -> list[Locator]:
    """The rows of these conversations, once the list has them in this order and no others."""
    names = pane(page).locator("a > span:first-child")
    await page.wait_for_function(
        "([selector, expected]) => JSON.stringify([...document.querySelectorAll(selector)].map(({ textContent }) =>"
        " textContent)) === JSON.stringify(expected)",
        arg=['[aria-label="Conversations"] [role="list"] a > span:first-child', list(titles)],
    )
    assert await names.all_text_contents() == list(titles)
    return await rows(page).all()


async def choose(page: Page, title: str, entry: str) -> None:
    """Do something with a conversation of the list, by its menu."""
    await rows(page).filter(has_text=title).hover()
    await pane(page).get_by_role("button", name=f"Actions for {title}").click()
    await page.get_by_role("menuitem", name=entry).click()
