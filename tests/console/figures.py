"""What a page of figures shows, read as a person would, and what the API answers."""

import csv
from dataclasses import dataclass
from io import StringIO
from typing import Any

import httpx2
from playwright.async_api import Locator, Page

from tests.client import GraphQLClient
from tests.conversations import PATIENCE_SECONDS

USAGE = """query (
    $from: DateTime!, $to: DateTime!, $bucket: UsageBucket!, $by: UsageGrouping!, $zone: String!, $of: ID
) {
    usageSeries(from: $from, to: $to, bucket: $bucket, groupBy: $by, timeZone: $zone, sessionId: $of) {
        start end key runs errors cost totalTokens
        inputTokens cachedInputTokens cacheWriteTokens outputTokens reasoningTokens
    }
}"""
MESSAGES = """query (
    $from: DateTime!, $to: DateTime!, $bucket: UsageBucket!, $by: MessageGrouping!, $zone: String!, $of: ID
) {
    messageSeries(from: $from, to: $to, bucket: $bucket, groupBy: $by, timeZone: $zone, sessionId: $of) {
        start end key messages failedMessages processingTimeP50Ms processingTimeP95Ms
    }
}"""
ACTIVITY = """query ($from: DateTime!, $to: DateTime!, $of: ID) {
    messagePersistenceStatistics(from: $from, to: $to, sessionId: $of) {
        intents { key count } tools { key count }
        mostActiveSessions { messages failedMessages tokens session { id title } }
    }
}"""

KINDS = {
    "Input": "inputTokens", "Cached input": "cachedInputTokens", "Cache writes": "cacheWriteTokens",
    "Output": "outputTokens", "Reasoning": "reasoningTokens",
}  # fmt: skip
ROLES = {"USER": "User", "ASSISTANT": "Assistant", "TOOL": "Tool", "SYSTEM": "System"}

Rows = list[list[str]]


@dataclass(frozen=True, slots=True)
class Range:
    """What is asked of the API."""

    start: str
    end: str
    bucket: str
    zone: str
    of: str | None = None

    @property
    def variables(self) -> dict[str, Any]:
        """Of all three questions."""
        return {"from": self.start, "to": self.end, "bucket": self.bucket, "zone": self.zone, "of": self.of}


class Told:
    """What the API tells of a range, as the files of the page have it."""

    def __init__(self, url: str, user: str, range_: Range) -> None:
        self._url, self._user, self._range = url, user, range_

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The answer to a question of the range."""
        given = {name: value for name, value in self._range.variables.items() if f"${name}:" in query}
        headers = {"X-Colloquy-User": self._user}
        async with httpx2.AsyncClient(base_url=self._url, headers=headers, timeout=PATIENCE_SECONDS) as http:
            return await GraphQLClient(http).data(query, {**given, **variables})

    async def by_kind(self) -> dict[str, Rows]:
        """By the titles of the plots."""
        usage = (await self.ask(USAGE, by="NONE"))["usageSeries"]
        every = (await self.ask(MESSAGES, by="NONE"))["messageSeries"]
        roles = (await self.ask(MESSAGES, by="ROLE"))["messageSeries"]
        failed = {point["start"]: point["failedMessages"] for point in every}
        return {
            "Tokens by kind": _over(usage, KINDS),
            "Cost": _over(usage, {"Cost": "cost"}),
            "Messages by role": _in_order(_by_key(roles, "messages"), list(ROLES)),
            "Errors": _over(
                [{**point, "failed": failed[point["start"]]} for point in usage],
                {"Failed runs": "errors", "Failed messages": "failed"},
            ),
            "Response times": _over(every, {"p50": "processingTimeP50Ms", "p95": "processingTimeP95Ms"}),
            **await self.activity(),
        }

    async def by_model(self) -> dict[str, Rows]:
        """By the titles of the plots, where models are told apart."""
        usage = (await self.ask(USAGE, by="MODEL"))["usageSeries"]
        answers = (await self.ask(MESSAGES, by="MODEL"))["messageSeries"]
        return {
            "Tokens by model": _by_key(usage, "totalTokens"),
            "Cost by model": _by_key(usage, "cost"),
            "Messages by model": _by_key(answers, "messages"),
            "Errors by model": _by_key(usage, "errors"),
            "Response times by model, p50": _by_key(answers, "processingTimeP50Ms"),
            "Response times by model, p95": _by_key(answers, "processingTimeP95Ms"),
            **await self.activity(),
        }

    async def activity(self) -> dict[str, Rows]:
        """Of the range as a whole."""
        found = (await self.ask(ACTIVITY))["messagePersistenceStatistics"]
        told = {
            "Intents": [["Intent", "Messages"], *([each["key"], str(each["count"])] for each in found["intents"])],
            "Tools": [["Tool", "Calls"], *([each["key"], str(each["count"])] for each in found["tools"])],
        }
        if self._range.of is None:
            told["Most active sessions"] = [
                ["Session", "id", "Messages", "Failed messages", "Tokens"],
                *(
                    [
                        each["session"]["title"], each["session"]["id"], str(each["messages"]),
                        str(each["failedMessages"]), each["tokens"],
                    ]
                    for each in found["mostActiveSessions"]
                ),
            ]  # fmt: skip
        return told


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _over(points: list[dict[str, Any]], columns: dict[str, str]) -> Rows:
    rows = [[point["start"], point["end"], *(_text(point[field]) for field in columns.values())] for point in points]
    return [["start", "end", *columns], *rows]


def _by_key(points: list[dict[str, Any]], field: str) -> Rows:
    keys = list(dict.fromkeys(point["key"] for point in points))
    rows: dict[tuple[str, str], list[str]] = {}
    for point in points:
        rows.setdefault((point["start"], point["end"]), []).append(_text(point[field]))
    return [["start", "end", *keys], *([*span, *values] for span, values in rows.items())]


def _in_order(rows: Rows, keys: list[str]) -> Rows:
    heads, *rest = rows
    order = [0, 1, *(heads.index(key) for key in keys if key in heads)]
    named = [ROLES.get(heads[place], heads[place]) for place in order]
    return [named, *([row[place] for place in order] for row in rest)]


def plot(page: Page, title: str) -> Locator:
    """The plot of that title."""
    return page.get_by_role("region", name=title, exact=True)


async def file_of(page: Page, title: str) -> Rows:
    """The file that a plot gives."""
    async with page.expect_download() as download:
        await plot(page, title).get_by_role("button", name=f"Download “{title}” as CSV").click()
    path = await (await download.value).path()
    return list(csv.reader(StringIO(path.read_bytes().decode(), newline=""), strict=True))


async def numbers_of(page: Page, title: str) -> Rows:
    """The numbers of a plot's table, without the first column, which is for people; nothing where there is none."""
    await plot(page, title).get_by_role("button", name="Numbers").click()
    table = plot(page, title).get_by_role("table")
    rows: Rows = await table.evaluate(
        "table => [...table.rows].map(({ cells }) => [...cells].slice(1).map(({ textContent }) => textContent))"
    )
    heads, *rest = rows
    return [heads, *([_plain(cell) for cell in row] for row in rest)]


def _plain(cell: str) -> str:
    return "" if cell == "–" else cell.replace(",", "")
