"""Whoever changes a template at once with others: one wins, the others are told, and nothing is lost or doubled."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import pytest

from app.core.actor import Actor
from app.db.database import Database, PoolSettings
from app.prompts import service
from app.prompts.errors import TemplateNotFound
from app.prompts.pipeline import PromptPipeline
from tests.client import GraphQLClient
from tests.conversations import waiting_for_locks
from tests.fakes import StatementRecorder
from tests.prompts.scenes import a_template, change, enabled, history, read, save, uuid_of

PLACES = [{"projectId": "apollo", "organizationId": "acme"}, {"projectId": "apollo"}, {"organizationId": "acme"}, {}]


@pytest.fixture
async def database(dsn: str, statements: StatementRecorder) -> AsyncIterator[Database]:
    """Connections for fifty at once: on a slow machine those who wait for one would else be sent away."""
    opened = await Database.connect(dsn, PoolSettings(size=50, connect_timeout_seconds=30.0), statements)
    yield opened
    await opened.close()


def codes(payloads: Sequence[dict[str, Any]]) -> Counter[str | None]:
    """How many payloads have which error."""
    return Counter(payload["error"] and payload["error"]["code"] for payload in payloads)


async def test_fifty_who_save_upon_the_same_version_have_one_winner(client: GraphQLClient, dsn: str) -> None:
    template = await a_template(client)

    payloads = await asyncio.gather(*(save(client, template, 1, content=f"of {number}") for number in range(50)))

    assert codes(payloads) == {None: 1, "VERSION_CONFLICT": 49}
    (winner,) = [payload["template"] for payload in payloads if payload["success"]]
    assert [payload["template"] for payload in payloads] == [winner] * 50
    assert winner["version"] == 2
    assert await history(dsn) == [(1, "created", None, None, 1), (2, "updated", None, None, 2)]


@pytest.mark.parametrize("place", PLACES, ids=str)
async def test_of_fifty_who_replace_each_other_one_is_enabled(
    client: GraphQLClient, dsn: str, place: dict[str, str]
) -> None:
    templates = [await a_template(client, f"t{number:02}", **place) for number in range(50)]

    payloads = await asyncio.gather(
        *(change(client, "enablePromptTemplate", template, replaceEnabled=True) for template in templates)
    )

    assert codes(payloads) == {None: 50}
    (left,) = await enabled(dsn)
    kinds = Counter(line[1] for line in await history(dsn))
    assert kinds == {"created": 50, "enabled": 50, "disabled": 49}
    by_name = {payload["template"]["name"]: payload["template"]["id"] for payload in payloads}
    lines = await read(client, by_name[left], "history(first: 1) { nodes { kind } }")
    assert lines["history"]["nodes"] == [{"kind": "ENABLED"}]


@pytest.mark.parametrize("place", PLACES, ids=str)
async def test_of_fifty_who_do_not_replace_one_is_enabled_and_named_to_the_others(
    client: GraphQLClient, dsn: str, place: dict[str, str]
) -> None:
    templates = [await a_template(client, f"t{number:02}", **place) for number in range(50)]
    query = """mutation ($input: EnablePromptTemplateInput!) { enablePromptTemplate(input: $input) {
        success error { code details } template { id } } }"""

    answers = await asyncio.gather(*(client.data(query, {"input": {"templateId": template}}) for template in templates))

    payloads = [answer["enablePromptTemplate"] for answer in answers]
    assert codes(payloads) == {None: 1, "ENABLED_PROMPT_CONFLICT": 49}
    (winner,) = [payload["template"]["id"] for payload in payloads if payload["success"]]
    told = [payload["error"]["details"] for payload in payloads if payload["error"]]
    assert told == [{"enabledId": winner}] * 49
    assert len(await enabled(dsn)) == 1


async def test_places_do_not_disturb_each_other(client: GraphQLClient, dsn: str) -> None:
    templates = [await a_template(client, f"in {index}", **place) for index, place in enumerate(PLACES)]

    payloads = await asyncio.gather(*(change(client, "enablePromptTemplate", template) for template in templates))

    assert codes(payloads) == {None: 4}
    assert len(await enabled(dsn)) == 4


@pytest.mark.parametrize("place", PLACES, ids=str)
async def test_of_twenty_who_create_one_name_one_does(client: GraphQLClient, dsn: str, place: dict[str, str]) -> None:
    wanted = {"name": "greeting", "content": "Hello!", **place}

    payloads = await asyncio.gather(
        *(client.mutate("createPromptTemplate", "template { id }", wanted) for _ in range(20))
    )

    assert codes(payloads) == {None: 1, "ALREADY_EXISTS": 19}
    assert {payload["error"]["field"] for payload in payloads if payload["error"]} == {"name"}
    assert await history(dsn) == [(1, "created", None, None, 1)]


async def test_of_twenty_who_take_one_name_one_does(client: GraphQLClient, dsn: str) -> None:
    templates = [await a_template(client, f"t{number}") for number in range(20)]

    payloads = await asyncio.gather(*(save(client, template, 1, name="greeting") for template in templates))

    assert codes(payloads) == {None: 1, "ALREADY_EXISTS": 19}
    assert Counter(line[1] for line in await history(dsn)) == {"created": 20, "updated": 1}


async def test_of_twenty_who_create_one_enabled_all_are_and_one_stays(client: GraphQLClient, dsn: str) -> None:
    wanted = {"content": "Hello!", "enabled": True, "replaceEnabled": True}

    payloads = await asyncio.gather(
        *(
            client.mutate("createPromptTemplate", "template { id }", {**wanted, "name": f"t{number}"})
            for number in range(20)
        )
    )

    assert codes(payloads) == {None: 20}
    assert len(await enabled(dsn)) == 1


async def test_of_twenty_who_move_a_label_from_the_same_version_one_does(client: GraphQLClient, dsn: str) -> None:
    template = await a_template(client)
    await save(client, template, 1, content="Good morning!")
    await change(client, "setPromptLabel", template, label="production", version=1)

    payloads = await asyncio.gather(
        *(
            change(client, "setPromptLabel", template, label="production", version=2, expectedVersion=1)
            for _ in range(20)
        )
    )

    assert codes(payloads) == {None: 1, "VERSION_CONFLICT": 19}
    assert (await history(dsn))[3:] == [(4, "labelled", "production", 1, 2)]


@pytest.mark.parametrize(
    ("field", "input_"),
    [
        ("updatePromptTemplate", {"expectedVersion": 1, "content": "late"}),
        ("setPromptLabel", {"label": "production", "version": 1}),
        ("enablePromptTemplate", {}),
        ("deletePromptTemplate", {}),
    ],
)
async def test_who_waited_for_a_deletion_finds_no_template(
    client: GraphQLClient, dsn: str, field: str, input_: dict[str, Any]
) -> None:
    template = await a_template(client)
    other = await asyncpg.connect(dsn)
    try:
        async with other.transaction():
            await other.execute("UPDATE prompt_templates SET deleted_at = now(), revision = 2")
            waiting = asyncio.create_task(change(client, field, template, **input_))
            await waiting_for_locks(dsn, 1)
        payload = await waiting
    finally:
        await other.close()

    assert payload["error"]["code"] == "NOT_FOUND"
    assert await history(dsn) == [(1, "created", None, None, 1)]


async def test_changes_and_deletions_at_once_leave_whole_histories(client: GraphQLClient, dsn: str) -> None:
    for number in range(10):
        template = await a_template(client, f"t{number}")
        payloads = await asyncio.gather(
            save(client, template, 1, content="late"),
            change(client, "deletePromptTemplate", template),
            change(client, "setPromptLabel", template, label="production", version=1),
            change(client, "enablePromptTemplate", template, replaceEnabled=True),
        )

        assert payloads[1]["success"]
        assert codes(payloads).keys() <= {None, "NOT_FOUND"}
        done = sum(payload["success"] for payload in payloads)
        assert (await read(client, template, "revision"))["revision"] == 1 + done
    assert await enabled(dsn) == []


async def test_who_is_held_waits_to_be_deleted_and_then_is_not_held_again(
    database: Database, actor: Actor, client: GraphQLClient, dsn: str
) -> None:
    template = uuid_of(await a_template(client))

    async with database.unit_of_work() as holding:
        await service.hold(holding, actor, template)
        async with database.unit_of_work() as beside:
            await service.hold(beside, actor, template)
        deletion = asyncio.create_task(PromptPipeline().delete(database, actor, template, None))
        await waiting_for_locks(dsn, 1)
        assert not deletion.done()
    deleted = await deletion

    assert deleted.template.deleted_at is not None
    async with database.unit_of_work() as uow:
        with pytest.raises(TemplateNotFound):
            await service.hold(uow, actor, template)
