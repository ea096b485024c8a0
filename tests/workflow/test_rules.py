"""Who may do what to a project, and what is refused before anything is stored."""

from dataclasses import replace
from typing import Any

import pytest

from app.core.actor import Actor, Role
from app.core.errors import AppError, ErrorCode
from app.core.ids import new_id
from app.prompts.pipeline import PromptPipeline
from app.prompts.values import NewTemplate, Place, PromptType, TemplateId, Text, Variable, VersionId
from app.workflow.values import (
    LONGEST_DESCRIPTION,
    DecisionKind,
    NewProject,
    ProjectId,
    ReviewId,
    StageId,
    Wish,
)
from tests.budgets.books import set_budget
from tests.conftest import an_actor
from tests.runs.conftest import Process
from tests.workflow.making import PG, PP, RA, SG, a_project, approved, asked_for, decided, made, stages_of, workflow_of
from tests.worlds import rows

ALICE = an_actor("alice")


def acting_as(*roles: Role) -> Actor:
    """Somebody with some roles alone."""
    return replace(an_actor("carol"), roles=frozenset({Role.MEMBER, *roles}))


async def refused(work: Any) -> tuple[ErrorCode, str | None]:
    """Why something is not done, and which field is wrong."""
    with pytest.raises(AppError) as caught:
        await work
    return caught.value.code, caught.value.field


async def test_members_change_nothing_and_editors_decide_nothing(process: Process, dsn: str) -> None:
    project = await a_project(process, ALICE)
    [analysis] = await made(process, dsn, ALICE, project, RA)
    workflow, database, id_ = workflow_of(process), process.database, ProjectId(project.id)
    member, editor, reviewer = acting_as(), acting_as(Role.EDITOR), acting_as(Role.REVIEWER)
    new = NewProject(ProjectId(new_id()), "Another", "It is described.")
    for who in (member, reviewer):
        assert (await refused(workflow.create(database, who, new, None)))[0] is ErrorCode.FORBIDDEN
        assert (await refused(workflow.update(database, who, id_, None, {"name": "x"}, None)))[0] is ErrorCode.FORBIDDEN
        assert (await refused(workflow.delete(database, who, id_, None)))[0] is ErrorCode.FORBIDDEN
        assert (await refused(asked_for(process, who, project, RA)))[0] is ErrorCode.FORBIDDEN
    for who in (member, editor):
        assert (await refused(decided(process, who, analysis["review_id"])))[0] is ErrorCode.FORBIDDEN
    assert await rows(dsn, "SELECT version FROM projects") == [{"version": 1}]
    await decided(process, reviewer, analysis["review_id"])
    [again] = await made(process, dsn, editor, project, RA)
    assert again["created_by"] == "carol"


async def test_what_cannot_be_stored_is_refused_by_its_field(process: Process, dsn: str) -> None:
    workflow, database = workflow_of(process), process.database
    for field, name, description in (
        ("name", " ", "d"), ("name", "n" * 256, "d"), ("description", "n", ""),
        ("description", "n", "d" * (LONGEST_DESCRIPTION + 1)),
    ):  # fmt: skip
        new = NewProject(ProjectId(new_id()), name, description)
        assert await refused(workflow.create(database, ALICE, new, None)) == (ErrorCode.VALIDATION_ERROR, field)
    project = await a_project(process, ALICE)
    [analysis] = await made(process, dsn, ALICE, project, RA)
    ask = asked_for
    nowhere = StageId(new_id())
    for work, code, field in (
        (ask(process, ALICE, project, RA, upstream_id=nowhere), ErrorCode.VALIDATION_ERROR, "upstreamId"),
        (ask(process, ALICE, project, PP, upstream_id=nowhere), ErrorCode.NOT_FOUND, "upstreamId"),
        (ask(process, ALICE, project, RA, story_index=0), ErrorCode.VALIDATION_ERROR, "storyIndex"),
        (ask(process, ALICE, project, PG, story_index=50), ErrorCode.VALIDATION_ERROR, "storyIndex"),
        (decided(process, ALICE, analysis["review_id"], DecisionKind.REJECT), ErrorCode.VALIDATION_ERROR, "feedback"),
        (decided(process, ALICE, analysis["review_id"], DecisionKind.REJECT, "x" * 20_001),
         ErrorCode.VALIDATION_ERROR, "feedback"),
        (decided(process, ALICE, ReviewId(new_id())), ErrorCode.NOT_FOUND, "reviewId"),
        (workflow.generate(database, ALICE, Wish(ProjectId(new_id()), RA), None), ErrorCode.NOT_FOUND, "projectId"),
    ):  # fmt: skip
        assert await refused(work) == (code, field)
    assert len(await stages_of(dsn, project.id)) == 1


async def test_two_who_change_a_project_do_not_overwrite_each_other(process: Process) -> None:
    project = await a_project(process, ALICE)
    workflow, database, id_ = workflow_of(process), process.database, ProjectId(project.id)
    first = (await workflow.update(database, ALICE, id_, 1, {"name": "Speiche"}, None)).project
    assert first is not None
    assert (first.name, first.version) == ("Speiche", 2)
    late = workflow.update(database, ALICE, id_, 1, {"name": "Nabe"}, None)
    assert await refused(late) == (ErrorCode.VERSION_CONFLICT, "expectedVersion")
    same = (await workflow.update(database, ALICE, id_, 2, {"name": "Speiche"}, None)).project
    assert same is not None
    assert same.version == 2


async def test_story_that_is_not_there_and_one_prompt_alone(process: Process, dsn: str) -> None:
    project = await a_project(process, ALICE)
    for stage in (RA, PP, SG):
        await approved(process, dsn, ALICE, project, stage)
    assert await refused(asked_for(process, ALICE, project, PG, story_index=40)) == (ErrorCode.NOT_FOUND, "storyIndex")
    await approved(process, dsn, ALICE, project, PG, story_index=1)
    others = await made(process, dsn, ALICE, project, PG)
    assert 1 not in [stage["story_index"] for stage in others]
    [again] = await made(process, dsn, ALICE, project, PG, story_index=1)
    assert (again["attempt"], again["status"]) == (2, "awaiting_review")


async def test_what_a_budget_refuses_is_not_begun(process: Process, dsn: str) -> None:
    project = await a_project(process, ALICE)
    await set_budget(process.database, tokens=1)
    assert (await refused(asked_for(process, ALICE, project, RA)))[0] is ErrorCode.BUDGET_EXCEEDED
    assert await stages_of(dsn, project.id) == []
    assert await rows(dsn, "SELECT id FROM chat_sessions") == []


async def test_template_of_the_project_is_asked_before_the_tenants(process: Process, dsn: str) -> None:
    project = await a_project(process, ALICE)
    prompts: PromptPipeline = process.services[PromptPipeline]
    text = Text(
        "ours", "Say for {{project_name}}: {{description}}", PromptType.CUSTOM, None,
        (Variable("project_name"), Variable("description")),
    )  # fmt: skip
    place = Place(project_id=project.global_id)
    new = NewTemplate(TemplateId(new_id()), VersionId(new_id()), text, place, enabled=True, stage=RA)
    await prompts.create(process.database, ALICE, new, None)
    [there] = await made(process, dsn, ALICE, project, RA, model="local:echo")
    assert there["content"].startswith("Say for Workshop: A service desk for bicycle workshops.")
    [asked] = await rows(dsn, "SELECT content, context FROM chat_messages WHERE role = 'user'")
    assert "Mechanics must see" in asked["content"]
    assert "Mechanics must see" not in str(asked["context"])
