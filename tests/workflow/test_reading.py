"""Projects as they are read: what hangs on them, in which order, page by page, and by nobody of another tenant."""

from typing import Any

import pytest

from app.core.ids import global_id
from app.workflow.values import StageStatus
from tests.client import GraphQLClient
from tests.fakes import StatementRecorder
from tests.schema_walk import random_id
from tests.workflow.scenes import PG, PP, RA, SG, Scene, a_project, a_workflow
from tests.worlds import ClientAs, rows

APPROVED, AWAITING, REJECTED = StageStatus.APPROVED, StageStatus.AWAITING_REVIEW, StageStatus.REJECTED
FAILED, PENDING, STALE = StageStatus.FAILED, StageStatus.PENDING, StageStatus.STALE

STAGE = """query ($id: ID!) { stage(id: $id) {
  __typename id kind attempt status content model createdBy correlationId error { code message }
  project { id description } review { id status } run { id } execution { id } upstream { id kind }
  downstream { totalCount nodes { id kind } }
  ... on RequirementsAnalysis { projectPlannings { nodes { id } } }
  ... on ProjectPlanning { requirementsAnalysis { id content } storyGenerations { nodes { id } } }
  ... on StoryGeneration { projectPlanning { id } promptGenerations { nodes { id } } stories {
    id index title description acceptanceCriteria priority estimate promptGenerations { totalCount nodes { id } } } }
  ... on PromptGeneration { storyIndex storyGeneration { id } story { id title storyGeneration { id } } }
} }"""

STAGES = """query ($id: ID!, $first: Int, $last: Int, $after: String, $before: String, $stage: Stage,
  $status: [StageStatus!]) { project(id: $id) {
    stages(first: $first, last: $last, after: $after, before: $before, stage: $stage, status: $status) {
      totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { id } } } }"""

REVIEW = """query ($id: ID!) { review(id: $id) {
  id pipelineStage status serviceName content feedback decidedBy decidedAt stage { __typename id } project { name }
  decisions { number kind feedback decidedBy correlationId } } }"""

PENDING_REVIEWS = """query ($project: ID, $stage: Stage, $first: Int, $after: String) {
  pendingReviews(projectId: $project, stage: $stage, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } nodes { id } } }"""


async def stage_of(client: GraphQLClient, id_: str) -> Any:
    """An attempt, with all that hangs on it."""
    return (await client.data(STAGE, {"id": id_}))["stage"]


async def stages_of(client: GraphQLClient, scene: Scene, **page: Any) -> dict[str, Any]:
    """A page of a project's attempts."""
    listed: dict[str, Any] = (await client.data(STAGES, {"id": scene.id, **page}))["project"]["stages"]
    return listed


def ids(listed: dict[str, Any]) -> list[str]:
    return [node["id"] for node in listed["nodes"]]


async def test_every_stage_leads_to_what_it_is_built_on_and_what_was_built_on_it(
    client: GraphQLClient, dsn: str
) -> None:
    scene = await a_workflow(dsn, AWAITING, AWAITING)
    analysis, planning, told, first, second = scene.attempts
    again = await scene.add(PG, APPROVED, story_index=0)

    found = {attempt: await stage_of(client, attempt.id) for attempt in scene.attempts}

    assert [stage["__typename"] for stage in found.values()] == [
        "RequirementsAnalysis", "ProjectPlanning", "StoryGeneration", *["PromptGeneration"] * 3,
    ]  # fmt: skip
    assert [stage["kind"] for stage in found.values()][2:4] == ["STORY_GENERATION", "PROMPT_GENERATION"]
    assert [stage["attempt"] for stage in found.values()] == [1, 1, 1, 1, 1, 2]
    top = found[analysis]
    assert (top["upstream"], top["content"], top["project"]) == (
        None,
        "# plain",
        {"id": scene.id, "description": "plain"},
    )
    assert top["downstream"] == {"totalCount": 1, "nodes": [{"id": planning.id, "kind": "PROJECT_PLANNING"}]}
    assert top["projectPlannings"] == {"nodes": [{"id": planning.id}]}
    assert (top["run"], top["execution"], top["error"]) == (None, None, None)
    assert found[planning]["requirementsAnalysis"] == {"id": analysis.id, "content": "# plain"}
    assert found[planning]["storyGenerations"] == {"nodes": [{"id": told.id}]}
    assert ids(found[told]["promptGenerations"]) == [first.id, second.id, again.id]
    assert found[told]["projectPlanning"] == {"id": planning.id}
    assert found[told]["stories"] == [
        {
            "id": told.story(index), "index": index, "title": f"plain {index}", "description": "plain",
            "acceptanceCriteria": ["plain"], "priority": "HIGH", "estimate": index,
            "promptGenerations": {"totalCount": len(prompts), "nodes": [{"id": prompt.id} for prompt in prompts]},
        }
        for index, prompts in enumerate([[first, again], [second], []])
    ]  # fmt: skip
    assert found[second]["upstream"] == {"id": told.id, "kind": "STORY_GENERATION"}
    assert found[second]["story"] == {"id": told.story(1), "title": "plain 1", "storyGeneration": {"id": told.id}}
    assert (found[second]["storyIndex"], found[second]["storyGeneration"]) == (1, {"id": told.id})
    assert found[again]["review"] == {"id": again.review, "status": "APPROVED"}


async def test_failed_attempt_says_why_and_has_no_review(client: GraphQLClient, dsn: str) -> None:
    scene = await a_workflow(dsn, until=[FAILED])

    found = await stage_of(client, scene.attempts[0].id)

    assert (found["status"], found["content"], found["review"]) == ("FAILED", None, None)
    assert found["error"] == {"code": "PROVIDER_ERROR", "message": "plain"}


async def test_id_of_an_attempt_under_another_type_names_nothing(client: GraphQLClient, dsn: str) -> None:
    scene = await a_workflow(dsn, until=[APPROVED])
    disguised = global_id("ProjectPlanning", scene.attempts[0].key)

    node = await client.data("query ($id: ID!) { node(id: $id) { id } }", {"id": disguised})

    assert node == {"node": None}
    assert await stage_of(client, disguised) is None
    assert (await client.answer(STAGE, {"id": scene.id}))["errors"][0]["extensions"]["code"] == "VALIDATION_ERROR"


async def test_stages_come_oldest_first_page_by_page_and_narrowed(client: GraphQLClient, dsn: str) -> None:
    scene = await a_project(dsn)
    await scene.add(RA, REJECTED)
    await scene.add(RA, APPROVED)
    await scene.add(PP, FAILED)
    await scene.add(PP, STALE)
    await scene.add(PP, APPROVED)
    expected = [attempt.id for attempt in scene.attempts]

    first = await stages_of(client, scene, first=3)
    second = await stages_of(client, scene, first=3, after=first["pageInfo"]["endCursor"])
    last = await stages_of(client, scene, last=2, before=second["pageInfo"]["startCursor"])

    assert [*ids(first), *ids(second)] == expected
    assert (first["totalCount"], second["totalCount"]) == (5, 5)
    assert (first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (True, False)
    assert ids(last) == expected[1:3]
    assert ids(await stages_of(client, scene, stage="PROJECT_PLANNING")) == expected[2:]
    assert ids(await stages_of(client, scene, status=["APPROVED", "STALE"])) == [expected[i] for i in (1, 3, 4)]
    both = await stages_of(client, scene, stage="PROJECT_PLANNING", status=["APPROVED"])
    assert (ids(both), both["totalCount"]) == (expected[4:], 1)
    assert ids(await stages_of(client, scene, status=[])) == []
    analyses = "query ($id: ID!) { project(id: $id) { requirementsAnalyses { totalCount nodes { id } } } }"
    found = (await client.data(analyses, {"id": scene.id}))["project"]["requirementsAnalyses"]
    assert (found["totalCount"], ids(found)) == (2, expected[:2])


async def test_review_shows_its_content_and_every_decision(client: GraphQLClient, dsn: str) -> None:
    scene = await a_workflow(dsn, until=[APPROVED, AWAITING])
    analysis, planning = scene.attempts
    await rows(
        dsn,
        "INSERT INTO review_decisions (tenant_id, review_id, number, kind, feedback, decided_by, correlation_id) "
        "VALUES ('default', $1, 2, 'reject', 'more', 'bob', 'later')",
        analysis.review_key,
    )

    decided, open_ = [(await client.data(REVIEW, {"id": each.review}))["review"] for each in (analysis, planning)]

    assert decided["decisions"] == [
        {"number": 1, "kind": "APPROVE", "feedback": "plain", "decidedBy": "alice", "correlationId": "plain"},
        {"number": 2, "kind": "REJECT", "feedback": "more", "decidedBy": "bob", "correlationId": "later"},
    ]
    assert decided["stage"] == {"__typename": "RequirementsAnalysis", "id": analysis.id}
    assert (decided["pipelineStage"], decided["status"], decided["decidedBy"]) == (
        "REQUIREMENTS_ANALYSIS", "APPROVED", "alice",
    )  # fmt: skip
    assert open_["decidedAt"] is None
    assert (open_["content"], open_["serviceName"], open_["project"], open_["decisions"]) == (
        "# plain", "local:echo", {"name": "plain"}, [],
    )  # fmt: skip


async def test_pending_reviews_are_those_that_somebody_is_to_decide(client: GraphQLClient, dsn: str) -> None:
    shop = await a_workflow(dsn, AWAITING, APPROVED, STALE, name="shop")
    bank = await a_workflow(dsn, until=[AWAITING], name="bank")
    expected = [shop.attempts[3].review, bank.attempts[0].review]

    listed = (await client.data(PENDING_REVIEWS))["pendingReviews"]
    first = (await client.data(PENDING_REVIEWS, {"first": 1}))["pendingReviews"]
    second = (await client.data(PENDING_REVIEWS, {"after": first["pageInfo"]["endCursor"]}))["pendingReviews"]

    assert (ids(listed), listed["totalCount"]) == (expected, 2)
    assert ([*ids(first), *ids(second)], first["pageInfo"]["hasNextPage"]) == (expected, True)
    of_bank = (await client.data(PENDING_REVIEWS, {"project": bank.id}))["pendingReviews"]
    assert (ids(of_bank), of_bank["totalCount"]) == (expected[1:], 1)
    assert ids((await client.data(PENDING_REVIEWS, {"stage": "PROMPT_GENERATION"}))["pendingReviews"]) == expected[:1]
    reviews = """query ($id: ID!, $status: ReviewStatus, $stage: Stage) { project(id: $id) {
        reviews(status: $status, stage: $stage) { totalCount nodes { id } } } }"""
    for narrowed, amount in (({}, 6), ({"status": "APPROVED"}, 4), ({"stage": "PROMPT_GENERATION"}, 3)):
        found = (await client.data(reviews, {"id": shop.id, **narrowed}))["project"]["reviews"]
        assert (found["totalCount"], len(found["nodes"])) == (amount, amount)


async def test_what_is_of_another_tenant_is_not_there(client_as: ClientAs, dsn: str) -> None:
    scene = await a_workflow(dsn, AWAITING, tenant="acme")
    bob, stranger = await client_as("bob@acme"), await client_as("alice")
    everything = """query ($project: ID!, $stage: ID!, $review: ID!, $ids: [ID!]!) {
        project(id: $project) { id } stage(id: $stage) { id } review(id: $review) { id } nodes(ids: $ids) { id }
        projects { totalCount } pendingReviews { totalCount }
        of: pendingReviews(projectId: $project) { totalCount } }"""
    told = scene.newest(SG)
    named = [scene.id, *(attempt.id for attempt in scene.attempts), told.review, told.story(0)]
    variables = {"project": scene.id, "stage": told.id, "review": told.review, "ids": named}

    seen, hidden = await bob.data(everything, variables), await stranger.data(everything, variables)

    one = {"totalCount": 1}
    assert seen == {
        "project": {"id": scene.id}, "stage": {"id": told.id}, "review": {"id": told.review},
        "nodes": [{"id": id_} for id_ in named], "projects": one, "pendingReviews": one, "of": one,
    }  # fmt: skip
    nothing = {"totalCount": 0}
    assert hidden == {
        "project": None, "stage": None, "review": None, "nodes": [None] * len(named),
        "projects": nothing, "pendingReviews": nothing, "of": nothing,
    }  # fmt: skip


async def test_sessions_and_templates_lead_to_their_project(client: GraphQLClient, dsn: str) -> None:
    scene = await a_project(dsn)
    session = await client.create_session()
    await rows(dsn, "UPDATE chat_sessions SET project_id = $1", scene.key)
    found = []
    for project in (scene.id, "apollo", random_id("Project"), session, None):
        input_ = {"name": "of a project", "content": "Hello", "projectId": project}
        made = await client.mutate("createPromptTemplate", "template { projectId project { id } }", input_)
        found.append(made["template"]["project"])

    shown = await client.data("query ($id: ID!) { session(id: $id) { project { id } } }", {"id": session})

    assert shown["session"]["project"] == {"id": scene.id}
    assert found == [{"id": scene.id}, None, None, None, None]


@pytest.mark.parametrize("page", [{"first": 0}, {"first": 101}, {"first": 1, "last": 1}, {"after": "x"}])
async def test_pages_that_cannot_be_are_refused(client: GraphQLClient, dsn: str, page: dict[str, Any]) -> None:
    scene = await a_workflow(dsn, AWAITING)
    written = ", ".join(f'{name}: "{value}"' if name == "after" else f"{name}: {value}" for name, value in page.items())
    lists = [
        f"projects({written}) {{ nodes {{ id }} }}", f"pendingReviews({written}) {{ nodes {{ id }} }}",
        *(
            f'project(id: "{scene.id}") {{ {name}({written}) {{ nodes {{ id }} }} }}'
            for name in ("stages", "requirementsAnalyses", "reviews")
        ),
        f'stage(id: "{scene.attempts[0].id}") {{ downstream({written}) {{ nodes {{ id }} }} }}',
    ]  # fmt: skip

    for asked in lists:
        error = (await client.answer(f"{{ {asked} }}"))["errors"][0]["extensions"]
        assert error["code"] == ("INVALID_CURSOR" if "after" in page else "VALIDATION_ERROR"), asked
        assert error["field"] in page


async def test_cursor_is_good_for_its_own_list_alone(client: GraphQLClient, dsn: str) -> None:
    one, other = [await a_workflow(dsn, AWAITING, AWAITING) for _ in range(2)]
    cursor = (await stages_of(client, one, first=1))["pageInfo"]["endCursor"]

    for scene, code in ((one, None), (other, "INVALID_CURSOR")):
        answer = await client.answer(STAGES, {"id": scene.id, "after": cursor})
        assert (answer["errors"][0]["extensions"]["code"] if "errors" in answer else None) == code
    nested = f'{{ projects {{ nodes {{ stages(after: "{cursor}") {{ nodes {{ id }} }} }} }} }}'
    assert (await client.answer(nested))["errors"][0]["extensions"]["code"] == "INVALID_CURSOR"


async def test_long_texts_are_read_only_where_they_are_selected(
    client: GraphQLClient, dsn: str, statements: StatementRecorder
) -> None:
    await a_workflow(dsn, AWAITING)
    statements.clear()

    await client.data(
        "{ projects { nodes { name stages { nodes { status ... on StoryGeneration { stories { title } } } } } } }"
    )
    short = " ".join(statements.sent)
    await client.data("{ projects { nodes { description stages { edges { node { content } } } } } }")
    long = " ".join(statements.sent[-2:])

    assert not any(column in short for column in ("description", "workflow_stages.content", "acceptance_criteria"))
    assert "projects.description" in long
    assert "workflow_stages.content" in long
