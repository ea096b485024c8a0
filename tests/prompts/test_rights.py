"""All of a tenant read its prompts, its editors write them, and no other tenant knows of them."""

from dataclasses import replace
from typing import Any

import pytest

from app.core.actor import Actor, Role
from app.db.database import Database
from app.prompts.errors import NotAnEditor
from app.prompts.pipeline import PromptPipeline
from app.prompts.values import LabelMove, NewTemplate, Text
from tests.client import GraphQLClient
from tests.prompts.scenes import a_template, change, read, save, uuid_of
from tests.worlds import ClientAs, stored


@pytest.mark.parametrize("roles", [set(), {Role.MEMBER}, {Role.MEMBER, Role.REVIEWER}, {Role.ADMIN}])
async def test_who_is_no_editor_changes_nothing(
    database: Database, actor: Actor, client: GraphQLClient, dsn: str, roles: set[Role]
) -> None:
    template = uuid_of(await a_template(client))
    reader = replace(actor, roles=frozenset(roles))
    pipeline, before = PromptPipeline(), await stored(dsn)
    new = NewTemplate(template, template, Text("mine", "Hello!"))  # type: ignore[arg-type]

    for change_ in (
        pipeline.create(database, reader, new, None),
        pipeline.update(database, reader, template, 1, {"content": "mine"}, None),
        pipeline.enable(database, reader, template, None, replace_enabled=True),
        pipeline.disable(database, reader, template, None),
        pipeline.set_label(database, reader, LabelMove(template, "production", 1), None),
        pipeline.delete(database, reader, template, None),
    ):
        with pytest.raises(NotAnEditor):
            await change_

    assert await stored(dsn) == before


async def test_what_one_editor_makes_the_others_read_and_change(client: GraphQLClient, client_as: ClientAs) -> None:
    template = await a_template(client)
    bob = await client_as("bob")

    payload = await save(bob, template, 1, content="Good morning!")

    assert (payload["template"]["createdBy"], payload["template"]["updatedBy"]) == ("alice", "bob")
    saved = await read(client, template, "versions { nodes { version savedBy } }")
    assert saved["versions"]["nodes"] == [{"version": 2, "savedBy": "bob"}, {"version": 1, "savedBy": "alice"}]


@pytest.mark.parametrize(
    ("field", "input_"),
    [
        ("updatePromptTemplate", {"expectedVersion": 1, "content": "stolen"}),
        ("setPromptLabel", {"label": "production", "version": 1}),
        ("enablePromptTemplate", {"replaceEnabled": True}),
        ("disablePromptTemplate", {}),
        ("deletePromptTemplate", {}),
    ],
)
async def test_another_tenants_template_is_not_there(
    client: GraphQLClient, client_as: ClientAs, dsn: str, field: str, input_: dict[str, Any]
) -> None:
    template = await a_template(client, enabled=True)
    stranger = await client_as("alice@acme")
    before = await stored(dsn)

    payload = await change(stranger, field, template, **input_)

    assert payload["error"]["code"] == "NOT_FOUND"
    assert await read(stranger, template, "id") is None
    assert await stored(dsn) == before


async def test_tenants_share_neither_names_nor_what_is_enabled(client: GraphQLClient, client_as: ClientAs) -> None:
    stranger = await client_as("alice@acme")

    await a_template(client, enabled=True)
    theirs = await a_template(stranger, enabled=True)

    assert (await read(stranger, theirs, "enabled"))["enabled"] is True
