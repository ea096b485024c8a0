"""Which version is meant: by id, name or what is enabled; by label, number, or the latest."""

import pytest

from app.core.actor import Actor
from app.core.errors import AppError
from app.core.ids import global_id, new_id
from app.db.database import Database
from app.prompts import service
from app.prompts.errors import TemplateNotFound
from app.prompts.values import Choice, Place, TemplateId
from tests.client import GraphQLClient
from tests.conftest import an_actor
from tests.prompts.scenes import a_template, change, save, uuid_of

APOLLO = Place("apollo", "acme")


@pytest.fixture
async def greeting(client: GraphQLClient) -> TemplateId:
    """A template of two versions, enabled in a project, with a label on the first; and others beside it."""
    template = await a_template(client, projectId="apollo", organizationId="acme", enabled=True)
    await save(client, template, 1, content="Good morning!")
    await change(client, "setPromptLabel", template, label="production", version=1)
    await a_template(client, projectId="apollo")
    await a_template(client, content="of no project", enabled=True)
    return uuid_of(template)


async def said(database: Database, actor: Actor, choice: Choice) -> str:
    """What the version that is meant says."""
    async with database.read() as scope:
        return (await service.resolve(scope, actor, choice)).content


async def test_a_version_is_found_each_way(database: Database, actor: Actor, greeting: TemplateId) -> None:
    ways = [
        {"template_id": greeting}, {"name": "greeting", "place": APOLLO}, {"enabled": True, "place": APOLLO},
    ]  # fmt: skip

    for way in ways:
        assert await said(database, actor, Choice(**way)) == "Good morning!"  # type: ignore[arg-type]
        assert await said(database, actor, Choice(**way, version=1)) == "Hello!"  # type: ignore[arg-type]
        assert await said(database, actor, Choice(**way, version=2)) == "Good morning!"  # type: ignore[arg-type]
        assert await said(database, actor, Choice(**way, label="production")) == "Hello!"  # type: ignore[arg-type]
    assert await said(database, actor, Choice(name="greeting")) == "of no project"
    assert await said(database, actor, Choice(enabled=True)) == "of no project"


async def test_what_leads_to_nothing_is_named(database: Database, actor: Actor, greeting: TemplateId) -> None:
    refusals = {
        Choice(TemplateId(new_id())): ("NOT_FOUND", "templateId"),
        Choice(name="farewell"): ("NOT_FOUND", "name"),
        Choice(name="greeting", place=Place("gemini")): ("NOT_FOUND", "name"),
        Choice(enabled=True, place=Place("apollo")): ("NOT_FOUND", "enabled"),
        Choice(greeting, label="staging"): ("NOT_FOUND", "label"),
        Choice(greeting, version=3): ("NOT_FOUND", "version"),
        Choice(greeting, version=0): ("VALIDATION_ERROR", "version"),
        Choice(greeting, version=2**40): ("VALIDATION_ERROR", "version"),
        Choice(greeting, version=1, label="production"): ("VALIDATION_ERROR", "label"),
        Choice(): ("VALIDATION_ERROR", "templateId"),
        Choice(greeting, enabled=True): ("VALIDATION_ERROR", "templateId"),
    }

    for choice, expected in refusals.items():
        with pytest.raises(AppError) as refused:
            await said(database, actor, choice)
        assert (refused.value.code, refused.value.field) == expected, choice


async def test_a_deleted_template_and_another_tenants_are_not_meant(
    database: Database, actor: Actor, client: GraphQLClient, greeting: TemplateId
) -> None:
    choices = [Choice(greeting), Choice(name="greeting", place=APOLLO), Choice(enabled=True, place=APOLLO)]

    async def refusals(asking: Actor) -> list[str | None]:
        """Which field of each choice leads to nothing."""
        found = []
        for choice in choices:
            with pytest.raises(TemplateNotFound) as refused:
                await said(database, asking, choice)
            found.append(refused.value.field)
        return found

    strangers = await refusals(an_actor("alice", "other"))
    await change(client, "deletePromptTemplate", global_id("PromptTemplate", greeting))

    assert strangers == await refusals(actor) == ["templateId", "name", "enabled"]
