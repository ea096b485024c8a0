"""Approvals are followed on one server, requested on another, and decided on either."""

from contextlib import aclosing
from pathlib import Path

from tests.client import GraphQLClient
from tests.followers import Events, Way, subscribed
from tests.processes import Served, two_servers
from tests.tools.scenes import a_call
from tests.worlds import add_execution

REQUESTED = "subscription { approvalRequested { id status input session { id } } }"


async def request(client: GraphQLClient) -> str:
    """The id of an execution that awaits approval."""
    return await add_execution(client, await a_call(client), requiredApproval=True)


async def told(events: Events) -> str:
    """The next execution."""
    event = await anext(events)
    assert event["status"] == "AWAITING_APPROVAL"
    return str(event["id"])


async def follow(server: Served, way: Way) -> Events:
    """What alice is asked for."""
    return subscribed(await server.address(), way, REQUESTED, {})


async def test_approvals_are_followed_across_servers_and_after_a_cut(tmp_path: Path, dsn: str) -> None:
    async with (
        two_servers(tmp_path, DATABASE_URL=dsn) as (first, second),
        first.client() as asking,
        second.client() as deciding,
    ):
        before = await request(asking)
        async with aclosing(await follow(second, Way.SOCKET_CUT)) as events:
            assert await told(events) == before
            live = await request(asking)
            assert await told(events) == live
        denied = await request(asking)
        missed = await request(asking)
        decided = await deciding.mutate(
            "decideToolExecution", "correlationId", {"toolExecutionId": denied, "approve": False}
        )
        for way in (Way.SERVER_SENT, Way.SOCKET):
            async with aclosing(await follow(first, way)) as events:
                assert [await told(events) for _ in range(3)] == [before, live, missed]
                live_again = await request(deciding)
                assert await told(events) == live_again
            await deciding.mutate(
                "decideToolExecution", "correlationId", {"toolExecutionId": live_again, "approve": True}
            )

    assert decided["success"]
