"""Reviews are followed on one server while attempts are generated on either, and decided there."""

from contextlib import aclosing
from pathlib import Path

from tests.client import GraphQLClient
from tests.followers import Events, Way, subscribed
from tests.processes import Served, two_servers
from tests.promises.projects import decide, described, generate

REQUESTED = """subscription { reviewRequested {
    id status pipelineStage content stage { id attempt status } project { id } } }"""


async def request(client: GraphQLClient, project: str) -> str:
    """The id of an attempt at the first stage, which a model is at."""
    [stage] = await generate(client, project, "REQUIREMENTS_ANALYSIS")
    return str(stage["id"])


async def told(events: Events, project: str) -> tuple[str, str]:
    """The next review, and the attempt that it is about."""
    review = await anext(events)
    assert (review["status"], review["pipelineStage"]) == ("PENDING", "REQUIREMENTS_ANALYSIS")
    assert (review["stage"]["status"], review["project"]) == ("AWAITING_REVIEW", {"id": project})
    assert review["content"]
    return str(review["id"]), str(review["stage"]["id"])


async def follow(server: Served, way: Way) -> Events:
    """What bob is asked to review."""
    return subscribed(await server.address(), way, REQUESTED, {}, user="bob")


async def test_reviews_are_followed_across_servers_and_after_a_cut(tmp_path: Path, dsn: str) -> None:
    async with (
        two_servers(tmp_path, DATABASE_URL=dsn) as (first, second),
        first.client() as asking,
        second.client("bob") as deciding,
    ):
        project = await described(asking)
        async with aclosing(await follow(second, Way.SOCKET_CUT)) as events:
            one = await request(asking, project)
            reviewed, about = await told(events, project)
            assert about == one
        await decide(deciding, reviewed, "REJECT", feedback="It says too little.")
        for way in (Way.SERVER_SENT, Way.SOCKET):
            async with aclosing(await follow(first, way)) as events:
                another = await request(deciding, project)
                again, about = await told(events, project)
                assert about == another
            async with aclosing(await follow(second, way)) as events:
                assert await told(events, project) == (again, another)
            await decide(deciding, again)
