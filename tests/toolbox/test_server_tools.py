"""The server's own tools: what they tell, and how they are offered."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from app.core.actor import Actor, UserId
from app.core.errors import ValidationError
from app.db.database import Database
from app.messages.pipeline import MessagePipeline
from app.toolbox.current_time import CurrentTime
from app.toolbox.errors import UnknownTimeZone
from app.toolbox.search_history import NOTHING_FOUND, SearchHistory
from app.toolbox.service import Toolbox
from app.toolbox.values import GivenTool
from tests.client import GraphQLClient
from tests.conversations import new_session, say

MOMENT = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "2026-01-31T23:30:00+00:00 (Saturday, UTC)"),
        ({"time_zone": "Asia/Tokyo"}, "2026-02-01T08:30:00+09:00 (Sunday, Asia/Tokyo)"),
    ],
)
async def test_current_time_tells_the_time_of_a_zone(
    database: Database, actor: Actor, arguments: Mapping[str, Any], told: str
) -> None:
    assert await CurrentTime(lambda: MOMENT).run(database, actor, arguments) == told


@pytest.mark.parametrize("zone", ["Nowhere/Town", "../../etc/passwd", "/etc/passwd", "Europe", "a\x00b"])
async def test_what_is_no_time_zone_is_refused(database: Database, actor: Actor, zone: str) -> None:
    with pytest.raises(UnknownTimeZone):
        await CurrentTime().run(database, actor, {"time_zone": zone})


async def test_search_history_finds_messages_of_the_user_and_of_nobody_else(
    database: Database, pipeline: MessagePipeline, actor: Actor
) -> None:
    theirs = Actor(actor.tenant_id, UserId("bob"), actor.roles, actor.correlation_id)
    for owner, text in ((actor, "The heron nests by the lake."), (theirs, "Another heron, of Bob.")):
        await say(database, pipeline, owner, await new_session(database, owner), text)
    tool = SearchHistory()

    found = await tool.run(database, actor, {"query": "heron"})
    nothing = await tool.run(database, actor, {"query": "pelican"})

    assert found.startswith("user, ")
    assert found.endswith("The heron nests by the lake.")
    assert "Bob" not in found
    assert nothing == NOTHING_FOUND


async def test_search_history_tells_as_many_as_are_wanted(
    database: Database, pipeline: MessagePipeline, actor: Actor
) -> None:
    session_id = await new_session(database, actor)
    for number in range(8):
        await say(database, pipeline, actor, session_id, f"heron number {number}")
    tool = SearchHistory()

    told = [
        len((await tool.run(database, actor, {"query": "heron", **more})).split("\n\n")) for more in ({}, {"limit": 2})
    ]

    assert told == [5, 2]


@pytest.mark.parametrize("name", ["description", "parameters"])
async def test_tool_of_the_server_is_not_described_by_who_offers_it(name: str) -> None:
    given = {"description": "mine"} if name == "description" else {"parameters": {"type": "object"}}

    with pytest.raises(ValidationError) as refused:
        await Toolbox.of(CurrentTime()).offer([GivenTool("current_time", **given)])

    assert refused.value.field == f"tools[0].{name}"
    assert "a tool of the server" in refused.value.message


async def test_tools_of_the_server_are_listed_as_models_see_them(client: GraphQLClient) -> None:
    data = await client.data("{ tools { name description parameters } }")

    assert [tool["name"] for tool in data["tools"]] == ["current_time", "search_history"]
    assert data["tools"][0]["parameters"]["properties"]["time_zone"]["type"] == "string"
