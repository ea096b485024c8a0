"""How far projects are and what they wait for, as figures say and as lists are narrowed by it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.prompts.values import Stage
from app.workflow.progress import Amount, ProjectProgress, progress_of
from app.workflow.values import StageStatus, WaitsFor
from tests.client import GraphQLClient
from tests.fakes import StatementRecorder
from tests.workflow.scenes import PG, PP, RA, SG, Scene, a_project, a_workflow
from tests.worlds import ClientAs

APPROVED, AWAITING, REJECTED = StageStatus.APPROVED, StageStatus.AWAITING_REVIEW, StageStatus.REJECTED
FAILED, PENDING, GENERATING, STALE = StageStatus.FAILED, StageStatus.PENDING, StageStatus.GENERATING, StageStatus.STALE

START = datetime(2026, 5, 1, tzinfo=UTC)

PROGRESS = """progress { stage finished waitsFor { role count stage } stages {
  stage status attempts pending generating awaitingReview approved rejected failed stale of } }"""

PROJECTS = (
    f"query ($filter: ProjectFilter) {{ projects(filter: $filter) {{ totalCount nodes {{ name {PROGRESS} }} }} }}"
)

WORLDS: dict[str, tuple[list[StageStatus], list[StageStatus], str, dict[str, tuple[int, str]]]] = {
    "new": ([], [], "REQUIREMENTS_ANALYSIS", {"EDITOR": (1, "REQUIREMENTS_ANALYSIS")}),
    "asked": ([PENDING], [], "REQUIREMENTS_ANALYSIS", {"MODEL": (1, "REQUIREMENTS_ANALYSIS")}),
    "failed": ([FAILED], [], "REQUIREMENTS_ANALYSIS", {"EDITOR": (1, "REQUIREMENTS_ANALYSIS")}),
    "there": ([AWAITING], [], "REQUIREMENTS_ANALYSIS", {"REVIEWER": (1, "REQUIREMENTS_ANALYSIS")}),
    "planned": ([APPROVED, GENERATING], [], "PROJECT_PLANNING", {"MODEL": (1, "PROJECT_PLANNING")}),
    "replanned": ([APPROVED, REJECTED], [], "PROJECT_PLANNING", {"EDITOR": (1, "PROJECT_PLANNING")}),
    "told": ([APPROVED, APPROVED], [], "STORY_GENERATION", {"EDITOR": (1, "STORY_GENERATION")}),
    "retold": ([APPROVED, APPROVED, AWAITING], [], "STORY_GENERATION", {"REVIEWER": (1, "STORY_GENERATION")}),
    "unprompted": ([APPROVED] * 3, [], "PROMPT_GENERATION", {"EDITOR": (3, "PROMPT_GENERATION")}),
    "prompting": (
        [APPROVED] * 3, [GENERATING, PENDING, AWAITING], "PROMPT_GENERATION",
        {"MODEL": (2, "PROMPT_GENERATION"), "REVIEWER": (1, "PROMPT_GENERATION")},
    ),
    "mixed": (
        [APPROVED] * 3, [APPROVED, FAILED, AWAITING], "PROMPT_GENERATION",
        {"EDITOR": (1, "PROMPT_GENERATION"), "REVIEWER": (1, "PROMPT_GENERATION")},
    ),
    "finished": ([APPROVED] * 3, [APPROVED] * 3, "PROMPT_GENERATION", {}),
}  # fmt: skip
"""Statuses of the first stages and of prompts; where the project is, and how much it waits for at which stage."""


@pytest.fixture
async def worlds(client_as: ClientAs, dsn: str) -> GraphQLClient:
    """A client with one project for each of WORLDS."""
    for name, (until, prompts, *_) in WORLDS.items():
        await a_workflow(dsn, *prompts, until=until, name=name)
    client: GraphQLClient = await client_as("bob")
    return client


async def listed(client: GraphQLClient, **filter_: Any) -> list[dict[str, Any]]:
    """The projects that meet a filter, which are counted too."""
    found = (await client.data(PROJECTS, {"filter": filter_}))["projects"]
    assert found["totalCount"] == len(found["nodes"])
    nodes: list[dict[str, Any]] = found["nodes"]
    return nodes


async def test_progress_says_where_a_project_is_and_what_it_waits_for(worlds: GraphQLClient) -> None:
    nodes = {node["name"]: node["progress"] for node in await listed(worlds)}

    for name, (_, _, stage, waits_for) in WORLDS.items():
        found = {each["role"]: (each["count"], each["stage"]) for each in nodes[name]["waitsFor"]}
        assert (nodes[name]["stage"], found) == (stage, waits_for), name
        assert nodes[name]["finished"] is (name == "finished"), name
        assert [each["stage"] for each in nodes[name]["stages"]] == [stage.name for stage in Stage]


async def test_filters_find_what_progress_says(worlds: GraphQLClient) -> None:
    nodes = await listed(worlds)

    for stage in Stage:
        found = {node["name"] for node in await listed(worlds, stage=stage.name)}
        assert found == {node["name"] for node in nodes if node["progress"]["stage"] == stage.name}, stage
    for role in WaitsFor:
        found = {node["name"] for node in await listed(worlds, waitsFor=role.name)}
        waiting = {node["name"] for node in nodes if role.name in {w["role"] for w in node["progress"]["waitsFor"]}}
        assert found == waiting, role
    assert {node["name"] for node in await listed(worlds, stage="PROMPT_GENERATION", waitsFor="EDITOR")} == {
        "unprompted", "mixed",
    }  # fmt: skip
    assert {node["name"] for node in await listed(worlds, text="LANNE")} == {"planned", "replanned"}
    assert await listed(worlds, text="%") == []
    assert len(await listed(worlds, createdBy="alice")) == len(WORLDS)
    assert await listed(worlds, createdBy="bob") == []


async def test_prompts_count_once_for_each_story_of_the_approved_list(client: GraphQLClient, dsn: str) -> None:
    scene = await a_workflow(dsn, REJECTED, APPROVED, until=[APPROVED, APPROVED, STALE])
    await scene.add(SG, APPROVED)
    await prompts(scene, 0, FAILED, AWAITING, REJECTED)
    await prompts(scene, 1, APPROVED, FAILED)
    await prompts(scene, 2, FAILED, REJECTED, STALE)

    [node] = await listed(client)

    told, prompted = node["progress"]["stages"][2:]
    assert (told["attempts"], told["approved"], told["stale"], told["of"], told["status"]) == (2, 1, 1, 1, "APPROVED")
    assert prompted == {
        "stage": "PROMPT_GENERATION", "status": "REJECTED", "attempts": 10, "pending": 0, "generating": 0,
        "awaitingReview": 1, "approved": 1, "rejected": 1, "failed": 0, "stale": 0, "of": 3,
    }  # fmt: skip
    assert node["progress"]["waitsFor"] == [
        {"role": "REVIEWER", "count": 1, "stage": "PROMPT_GENERATION"},
        {"role": "EDITOR", "count": 1, "stage": "PROMPT_GENERATION"},
    ]


async def prompts(scene: Scene, story: int, *statuses: StageStatus) -> None:
    for status in statuses:
        await scene.add(PG, status, story_index=story)


async def test_lists_have_the_order_that_is_asked_for_and_full_pages(client: GraphQLClient, dsn: str) -> None:
    for number, name in enumerate(("b", "c", "a")):
        times: dict[str, Any] = {
            "created_at": START + timedelta(days=number),
            "updated_at": START - timedelta(days=number),
        }
        await a_project(dsn, name, **times)

    async def names(order: str) -> str:
        asked = f"{{ projects(orderBy: {order}) {{ nodes {{ name }} }} }}"
        pages, cursor = "", None
        while True:
            after = f', after: "{cursor}"' if cursor else ""
            page = (await client.data(f"{{ projects(orderBy: {order}, first: 2{after}) {{ nodes {{ name }} "
                                      "pageInfo { hasNextPage endCursor } } }"))["projects"]  # fmt: skip
            pages, cursor = pages + "".join(node["name"] for node in page["nodes"]), page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert pages == "".join(node["name"] for node in (await client.data(asked))["projects"]["nodes"])
        return pages

    assert (await names("CREATED_AT_ASC"), await names("CREATED_AT_DESC")) == ("bca", "acb")
    assert (await names("UPDATED_AT_ASC"), await names("UPDATED_AT_DESC")) == ("acb", "bca")
    assert (await names("NAME_ASC"), await names("NAME_DESC")) == ("abc", "cba")


async def test_progress_of_any_number_of_projects_is_one_statement(
    worlds: GraphQLClient, statements: StatementRecorder
) -> None:
    statements.clear()

    assert len(await listed(worlds)) == len(WORLDS)

    # The page, its count, and all progress.
    assert len(statements.sent) == 3


amounts = st.dictionaries(
    st.tuples(st.sampled_from(Stage), st.sampled_from(StageStatus)),
    st.tuples(st.integers(1, 9), st.integers(0, 9), st.integers(0, 5)),
)


def progress(drawn: dict[tuple[Stage, StageStatus], tuple[int, int, int]], stories: int) -> ProjectProgress:
    return progress_of(
        (
            Amount(stage, status, attempts, attempts if stage is not PG else min(counted, attempts),
                   START + timedelta(days=day))
            for (stage, status), (attempts, counted, day) in drawn.items()
        ),
        stories,
    )  # fmt: skip


@given(amounts, st.integers(0, 9))
def test_stage_is_the_first_that_is_not_finished(
    drawn: dict[tuple[Stage, StageStatus], tuple[int, int, int]], stories: int
) -> None:
    found = progress(drawn, stories)

    assert [each.stage for each in found.stages] == [RA, PP, SG, PG]
    open_ = [each.stage for each in found.stages if not each.finished]
    assert found.finished is (open_ == [])
    assert found.stage is (open_[0] if open_ else PG)
    assert [each.of for each in found.stages] == [1, 1, 1, stories]
    for each in found.stages:
        assert each.attempts == sum(amount[0] for (stage, _), amount in drawn.items() if stage is each.stage)
        assert each.status is not STALE


@given(amounts, st.integers(0, 9))
def test_what_is_waited_for_is_there(
    drawn: dict[tuple[Stage, StageStatus], tuple[int, int, int]], stories: int
) -> None:
    found = progress(drawn, stories)

    for waiting in found.waits_for:
        assert waiting.count > 0
        match waiting.role:
            case WaitsFor.REVIEWER:
                assert waiting.count == drawn[waiting.stage, AWAITING][0]
            case WaitsFor.MODEL:
                assert waiting.count == sum(drawn.get((waiting.stage, each), (0,))[0] for each in (PENDING, GENERATING))
            case WaitsFor.EDITOR:
                assert waiting.stage is found.stage
                assert not found.finished
    assert len({(each.role, each.stage) for each in found.waits_for}) == len(found.waits_for)
