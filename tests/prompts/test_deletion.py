"""A deleted template is gone from where one looks, and stays for what names it."""

import pytest

from app.core.actor import Actor
from app.db.database import Database
from app.prompts.errors import TemplateInUse
from app.prompts.pipeline import PromptPipeline
from tests.client import GraphQLClient
from tests.prompts.scenes import Uses, a_template, change, enabled, history, read, save, uuid_of
from tests.worlds import stored


async def test_a_deleted_template_is_not_enabled_and_its_name_is_free(client: GraphQLClient, dsn: str) -> None:
    template = await a_template(client, enabled=True)
    await change(client, "setPromptLabel", template, label="production", version=1)

    payload = await change(client, "deletePromptTemplate", template)
    again = await a_template(client, enabled=True)

    assert payload["template"]["deletedAt"] == payload["template"]["updatedAt"]
    assert payload["template"]["enabled"] is False
    assert again != template
    assert len(await enabled(dsn)) == 1
    kept = await read(client, template, "versions { totalCount } labels { label } history { nodes { kind } }")
    assert kept["versions"] == {"totalCount": 1}
    assert kept["labels"] == [{"label": "production"}]
    assert [line["kind"] for line in kept["history"]["nodes"]] == ["DELETED", "LABELLED", "ENABLED", "CREATED"]


async def test_a_deletion_sent_again_is_answered_as_the_first(client: GraphQLClient) -> None:
    template = await a_template(client)

    first = await change(client, "deletePromptTemplate", template, clientKey="once")
    again = await change(client, "deletePromptTemplate", template, clientKey="once")
    another = await change(client, "deletePromptTemplate", template)

    assert (first["success"], first["deduplicated"]) == (True, False)
    assert (again["success"], again["deduplicated"], again["template"]) == (True, True, first["template"])
    assert (another["error"]["code"], another["error"]["field"]) == ("NOT_FOUND", "templateId")


@pytest.mark.parametrize(
    ("field", "input_"),
    [
        ("updatePromptTemplate", {"expectedVersion": 1, "content": "late"}),
        ("setPromptLabel", {"label": "production", "version": 1}),
        ("enablePromptTemplate", {}),
        ("enablePromptTemplate", {"replaceEnabled": True}),
        ("disablePromptTemplate", {}),
    ],
)
async def test_a_deleted_template_is_not_changed(
    client: GraphQLClient, dsn: str, field: str, input_: dict[str, object]
) -> None:
    template = await a_template(client)
    await change(client, "deletePromptTemplate", template)
    before = await stored(dsn)

    payload = await change(client, field, template, **input_)

    assert payload["error"]["code"] == "NOT_FOUND"
    assert await stored(dsn) == before


async def test_a_template_that_is_needed_is_not_deleted(
    database: Database, actor: Actor, client: GraphQLClient, dsn: str
) -> None:
    template, uses = await a_template(client), Uses(("run 1", "run 2"))
    pipeline = PromptPipeline((Uses(), uses))
    before = await stored(dsn)

    with pytest.raises(TemplateInUse) as refused:
        await pipeline.delete(database, actor, uuid_of(template), None)
    unchanged = await stored(dsn)
    uses.runs = ()
    await pipeline.delete(database, actor, uuid_of(template), None)

    assert refused.value.details == {"runIds": ["run 1", "run 2"]}
    assert unchanged == before
    assert [line[1] for line in await history(dsn)] == ["created", "deleted"]


async def test_a_key_of_an_update_is_answered_also_when_the_template_is_deleted(client: GraphQLClient) -> None:
    template = await a_template(client)
    await save(client, template, 1, content="Good morning!", clientKey="once")
    await change(client, "deletePromptTemplate", template)

    again = await save(client, template, 1, content="Good morning!", clientKey="once")

    assert (again["success"], again["deduplicated"], again["template"]["version"]) == (True, True, 2)
