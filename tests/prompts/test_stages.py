"""Templates of the workflow's stages: of each stage one is enabled in a place, beside the one that is of none."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from app.core.actor import Actor, Role
from app.core.errors import AppError
from app.core.ids import new_id
from app.db.database import Database
from app.prompts import repository, service
from app.prompts.errors import EnabledConflict, TemplateNotFound
from app.prompts.models import PromptTemplate
from app.prompts.pipeline import PromptPipeline
from app.prompts.values import Choice, NewTemplate, Place, Stage, TemplateId, Text, VersionId
from tests.client import GraphQLClient
from tests.conftest import an_actor
from tests.conversations import waiting_for_locks
from tests.prompts.scenes import a_template, change, enabled, history, read
from tests.worlds import rows

APOLLO = Place("apollo")
STAGES = [stage.name for stage in Stage]
ENABLED = """query ($projectId: String, $stage: Stage) {
  enabledPromptTemplate(projectId: $projectId, stage: $stage) { name stage } }"""


def new_template(name: str = "planning", stage: Stage | None = Stage.PROJECT_PLANNING, **others: Any) -> NewTemplate:
    """A template that is about to be stored, enabled."""
    text = Text(name, others.pop("content", "Plan it."))
    return NewTemplate(TemplateId(new_id()), VersionId(new_id()), text, stage=stage, **{"enabled": True, **others})


async def installed(database: Database, actor: Actor, new: NewTemplate) -> PromptTemplate:
    """What comes of an installation."""
    return await database.transact(lambda uow: service.install(uow, actor, new))


async def test_one_of_each_stage_and_one_of_none_are_enabled_side_by_side(client: GraphQLClient) -> None:
    for stage in [*STAGES, None]:
        await a_template(client, f"for {stage}", stage=stage, projectId="apollo", enabled=True)
    for stage in STAGES[:1]:
        await a_template(client, f"general {stage}", stage=stage, enabled=True)

    for stage in [*STAGES, None]:
        found = (await client.data(ENABLED, {"projectId": "apollo", "stage": stage}))["enabledPromptTemplate"]
        assert found == {"name": f"for {stage}", "stage": stage}
    general = [(await client.data(ENABLED, {"stage": stage}))["enabledPromptTemplate"] for stage in [*STAGES, None]]
    assert general == [{"name": f"general {STAGES[0]}", "stage": STAGES[0]}, None, None, None, None]


async def test_a_second_one_of_a_stage_is_a_conflict_or_replaces_the_first(client: GraphQLClient, dsn: str) -> None:
    first = await a_template(client, "first", stage="PROJECT_PLANNING", enabled=True)
    await a_template(client, "of no stage", enabled=True)
    second = await a_template(client, "second", stage="PROJECT_PLANNING")

    refused = await change(client, "enablePromptTemplate", second)
    replaced = await client.mutate(
        "enablePromptTemplate", "replaced { id }", {"templateId": second, "replaceEnabled": True}
    )

    assert refused["error"]["code"] == "ENABLED_PROMPT_CONFLICT"
    assert replaced["replaced"] == {"id": first}
    assert replaced["success"]
    assert await enabled(dsn) == ["of no stage", "second"]


async def test_a_name_is_used_once_whatever_the_stages(client: GraphQLClient) -> None:
    await a_template(client, "planning", stage="PROJECT_PLANNING")

    payload = await client.mutate("createPromptTemplate", "success", {"name": "planning", "content": "Hello!"})

    assert (payload["error"]["code"], payload["error"]["field"]) == ("ALREADY_EXISTS", "name")


async def test_lists_are_narrowed_to_a_stage(client: GraphQLClient) -> None:
    for stage in [*STAGES, None]:
        await a_template(client, f"for {stage}", stage=stage)
    query = """query ($stage: Stage) { promptTemplates(filter: { stage: $stage }) { totalCount nodes { name stage } }
      promptTemplatesPage(filter: { stage: $stage }) { total } }"""

    one = await client.data(query, {"stage": "STORY_GENERATION"})
    all_ = await client.data(query, {"stage": None})

    story = {"name": "for STORY_GENERATION", "stage": "STORY_GENERATION"}
    assert one == {"promptTemplates": {"totalCount": 1, "nodes": [story]}, "promptTemplatesPage": {"total": 1}}
    assert (all_["promptTemplates"]["totalCount"], all_["promptTemplatesPage"]["total"]) == (5, 5)


async def test_of_fifty_who_enable_one_for_a_stage_one_does_and_other_stages_do_not_notice(
    client: GraphQLClient, dsn: str
) -> None:
    stages = [*STAGES, None]
    templates = [await a_template(client, f"t{number:02}", stage=stages[number % 5]) for number in range(50)]

    payloads = await asyncio.gather(*(change(client, "enablePromptTemplate", template) for template in templates))

    assert sum(payload["success"] for payload in payloads) == 5
    assert {payload["error"]["code"] for payload in payloads if payload["error"]} == {"ENABLED_PROMPT_CONFLICT"}
    found = await rows(dsn, "SELECT stage FROM prompt_templates WHERE enabled ORDER BY stage NULLS LAST")
    assert [row["stage"] for row in found] == [*sorted(Stage), None]


async def test_what_is_enabled_for_a_stage_is_resolved_by_it(database: Database, actor: Actor) -> None:
    for new in (new_template("planning"), new_template("apollo's", place=APOLLO), new_template("any", None)):
        await PromptPipeline().create(database, actor, new, None)

    async def said(**choice: Any) -> str:
        async with database.read() as scope:
            return (await service.resolve(scope, actor, Choice(**choice))).name

    assert await said(enabled=True) == "any"
    assert await said(enabled=True, stage=Stage.PROJECT_PLANNING) == "planning"
    assert await said(enabled=True, stage=Stage.PROJECT_PLANNING, place=APOLLO) == "apollo's"
    with pytest.raises(TemplateNotFound):
        await said(enabled=True, place=APOLLO)
    with pytest.raises(TemplateNotFound):
        await said(enabled=True, stage=Stage.STORY_GENERATION)
    with pytest.raises(AppError) as refused:
        await said(name="planning", stage=Stage.PROJECT_PLANNING)
    assert (refused.value.code, refused.value.field) == ("VALIDATION_ERROR", "stage")


async def test_what_comes_with_the_server_is_installed_once_by_whom_it_may_be(database: Database, dsn: str) -> None:
    reader = replace(an_actor("reader"), roles=frozenset({Role.MEMBER}))

    first = await installed(database, reader, new_template())
    again = await installed(database, an_actor("other"), new_template(content="Plan it in another way."))

    assert (first.enabled, first.version, first.revision, first.created_by) == (True, 1, 2, "reader")
    assert (again.id, again.content) == (first.id, "Plan it.")
    assert await history(dsn) == [(1, "created", None, None, 1), (2, "enabled", None, None, None)]


async def test_an_installation_leaves_what_there_is_and_what_is_enabled(
    database: Database, actor: Actor, client: GraphQLClient, dsn: str
) -> None:
    own = await a_template(client, "our own", stage="PROJECT_PLANNING", enabled=True)

    beside = await installed(database, actor, new_template())
    await change(client, "disablePromptTemplate", own)
    as_it_was = await installed(database, actor, new_template())
    gone = await change(client, "deletePromptTemplate", beside.global_id)
    anew = await installed(database, actor, new_template())

    assert not beside.enabled
    assert (as_it_was.id, as_it_was.enabled) == (beside.id, False)
    assert gone["success"]
    assert anew.id != beside.id
    assert await enabled(dsn) == ["planning"]
    assert (await read(client, anew.global_id, "stage")) == {"stage": "PROJECT_PLANNING"}


async def test_of_twenty_who_install_one_all_get_the_same(database: Database, actor: Actor, dsn: str) -> None:
    got = await asyncio.gather(*(installed(database, actor, new_template()) for _ in range(20)))

    assert len({template.id for template in got}) == 1
    assert all(template.enabled for template in got)
    assert await history(dsn, "kind") == [("created",), ("enabled",)]


async def test_an_installation_waits_for_whoever_takes_its_name_and_gets_theirs(
    database: Database, actor: Actor, dsn: str
) -> None:
    theirs = new_template(enabled=False, content="Theirs.")

    async with database.unit_of_work() as uow:
        # It is not enabled: its slot is not locked.
        await service.create(uow, actor, theirs)
        installing = asyncio.create_task(installed(database, actor, new_template()))
        await waiting_for_locks(dsn, 1)
    got = await installing

    assert (got.id, got.content, got.enabled) == (theirs.id, "Theirs.", False)
    assert await history(dsn, "kind") == [("created",)]


async def test_an_import_that_enables_another_at_this_moment_is_in_the_way(
    database: Database, actor: Actor, dsn: str
) -> None:
    other = new_template("another", enabled=False)
    await PromptPipeline().create(database, actor, other, None)

    async with database.unit_of_work() as uow:
        # As an import does, which locks no slots.
        await repository.set_enabled(uow, actor, other.id, enabled=True)
        installing = asyncio.create_task(installed(database, actor, new_template()))
        await waiting_for_locks(dsn, 1)
    with pytest.raises(EnabledConflict):
        await installing

    assert await enabled(dsn) == ["another"]
