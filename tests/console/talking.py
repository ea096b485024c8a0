"""What tests of conversations ask of the API, and find in the page."""

import re
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Locator, Page, expect

from tests.client import GraphQLClient

LONG = " ".join(f"word{number}" for number in range(1, 301))
"""An echo of it takes some seconds at PACE."""

ENDLESS = " ".join(f"word{number}" for number in range(1, 3_001))
"""An echo of it is not waited for."""

PACE = 40.0
"""Words per second."""

_CONVERSATION = """query ($id: ID!) { session(id: $id) {
  title messageCount activeRun { id }
  activePath(last: 100) { nodes { id role content status siblings { index count } run { id status model } } } } }"""


async def conversation(client: GraphQLClient, session_id: str) -> dict[str, Any]:
    """The session with its active path, as stored."""
    found: dict[str, Any] = (await client.data(_CONVERSATION, {"id": session_id}))["session"]
    return found


async def path_of(client: GraphQLClient, session_id: str) -> list[tuple[str, str]]:
    """Who said what on the active path."""
    nodes = (await conversation(client, session_id))["activePath"]["nodes"]
    return [(node["role"], node["content"]) for node in nodes]


async def began(page: Page) -> str:
    """The id of the session that the page went to."""
    await page.wait_for_url(re.compile("/chat/."))
    return urlsplit(page.url).path.removeprefix("/chat/")


async def send(page: Page, text: str) -> None:
    """Say something as a person does."""
    await composer(page).fill(text)
    await composer(page).press("Enter")


def composer(page: Page) -> Locator:
    """Where one writes."""
    return page.get_by_role("textbox", name="Message")


def messages(page: Page, who: str | None = None) -> Locator:
    """The messages that are shown, of one who speaks or of all."""
    log = page.get_by_role("log", name="Messages")
    return log.get_by_role("article") if who is None else log.get_by_role("article", name=who)


def stop(page: Page) -> Locator:
    """Ends the answer; there while one is being written."""
    return page.get_by_role("button", name="Stop")


async def choose_model(page: Page, model: str) -> None:
    """Have this one answer from now on."""
    await page.get_by_role("button", name="Model").click()
    await page.get_by_role("option", name=model).click()


async def settled(page: Page) -> None:
    """No answer is being written any more."""
    await expect(stop(page)).to_have_count(0)


async def shows(page: Page, said: list[tuple[str, str]]) -> None:
    """The page shows these messages, each with its text and nothing more of it, and no others."""
    speakers = {"USER": "You", "ASSISTANT": "Assistant"}
    await expect(messages(page)).to_have_count(len(said))
    for place, (role, content) in enumerate(said):
        message = messages(page).nth(place)
        await expect(message).to_have_attribute("aria-label", speakers[role])
        if content:
            await expect(message.get_by_text(content, exact=True)).to_have_count(1)


async def ask_slowly(client: GraphQLClient, content: str = LONG, **input_: Any) -> dict[str, Any]:
    """What was stored of a question that is echoed."""
    answered: dict[str, Any] = await client.mutate(
        "sendMessage",
        "session { id } userMessage { id } message { id } run { id }",
        {"content": content, "model": "local:echo", **input_},
    )
    return answered
