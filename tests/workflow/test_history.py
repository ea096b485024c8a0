"""All that ever happened to a project is read in one query, with as many statements however much that is."""

from typing import Any

from tests.client import GraphQLClient, client_of
from tests.fakes import StatementRecorder
from tests.promises.projects import STAGES, all_settled, approve_all, decide, described, generate, history, stages_in
from tests.runs.conftest import a_process
from tests.workflow.making import inconsistent


async def test_stories_rejected_and_made_again_with_all_that_followed_are_one_query(
    dsn: str, statements: StatementRecorder
) -> None:
    async with (
        a_process(dsn, log=statements) as process,
        client_of(process.database, process.services, "alice") as client,
    ):
        project_id = await described(client)
        await _taken(client, dsn, project_id, STAGES)
        asked = await _statements_of_history(client, project_id, statements)
        [stories] = [stage for stage in stages_in(await history(client, project_id)) if "stories" in stage]
        rejected = await decide(
            client, stories["review"]["id"], "REQUEST_CHANGES", feedback="Customers first.",
            expectedStatus="APPROVED",
        )  # fmt: skip
        assert len(rejected["stale"]) == len(stories["stories"])
        await all_settled(dsn)
        shown = await history(client, project_id)
        assert [stage["status"] for stage in stages_in(shown)[-2:]] == ["STALE", "AWAITING_REVIEW"]
        assert shown["progress"]["stage"] == "STORY_GENERATION"
        await approve_all(client, project_id)
        await _taken(client, dsn, project_id, STAGES[3:])

        shown = await history(client, project_id)
        lists = [stage for stage in stages_in(shown) if "stories" in stage]
        assert [_told(one) for one in lists] == [
            ("REJECTED", 1, [("APPROVE", None), ("REQUEST_CHANGES", "Customers first.")]),
            ("APPROVED", 2, [("APPROVE", None)]),
        ]
        assert shown["progress"]["finished"] is True
        assert {stage["status"] for stage in stages_in(shown)} == {"APPROVED", "REJECTED", "STALE"}
        assert await _statements_of_history(client, project_id, statements) == asked
    assert await inconsistent(dsn) == {}


async def _taken(client: GraphQLClient, dsn: str, project_id: str, stages: tuple[str, ...]) -> None:
    """Take a project through stages, all approved."""
    for stage in stages:
        await generate(client, project_id, stage)
        await all_settled(dsn)
        await approve_all(client, project_id)


async def _statements_of_history(client: GraphQLClient, project_id: str, statements: StatementRecorder) -> int:
    """How many statements it takes to read a project's history."""
    statements.clear()
    await history(client, project_id)
    # Others are told of what was changed before, a moment later.
    return sum("pg_notify" not in sql for sql in statements.sent)


def _told(stage: dict[str, Any]) -> tuple[str, int, list[tuple[str, str | None]]]:
    decisions = [(one["kind"], one["feedback"]) for one in stage["review"]["decisions"]]
    return stage["status"], stage["attempt"], decisions
