"""What tests of prompts ask of the API, and find in the page."""

import re
from typing import Any
from urllib.parse import quote

from playwright.async_api import Locator, Page

from tests.console.conftest import Tabs

LONG = " ".join(f"word{number}" for number in range(1, 2_001))
"""An echo of it takes most of a minute: it is not waited for."""

SHOP: dict[str, Any] = {
    "name": "Answer a customer",
    "content": "You answer for {{ shop }}, in at most {{words}} words.\n\n{{question}}",
    "variables": [
        {"name": "shop", "description": "The name of the shop"},
        {"name": "words", "type": "INTEGER", "default": 80},
        {"name": "question"},
    ],
}


async def opened(tabs: Tabs, template: str, query: str = "", width: int = 1280) -> Page:
    """The page of a template, with its title."""
    page = (await tabs.open(f"/prompts/{quote(template)}{query}", width=width)).page
    await page.get_by_role("heading", level=1).wait_for()
    return page


async def choose(page: Page | Locator, label: str, option: str) -> None:
    """Choose in the select that has this label."""
    # Its name is what is chosen, and then the label.
    await page.get_by_role("button", name=re.compile(f"(^| ){re.escape(label)}$")).click()
    top = page if isinstance(page, Page) else page.page
    await top.get_by_role("option", name=option, exact=True).click()


async def is_narrow(page: Page) -> bool:
    """Whether the page is no wider than its window."""
    return bool(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
