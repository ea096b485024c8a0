"""What is asked once is done once, however often it is sent: every mutation takes a client's key."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.client import GraphQLClient
from tests.conftest import cloned
from tests.filled import Filled, filled
from tests.schema_walk import (
    FOR_ADMINS,
    Ids,
    Place,
    answer_of,
    arguments_with,
    document,
    mutation_fields,
    places,
    random_ids,
    valid_arguments,
)
from tests.worlds import ClientAs, Conversation, conversation, ids_for, stored

ENDS_ITS_OBJECT = {"deleteSession": "session", "deleteAttachment": "attachment"}
"""What is null in a repeated answer: the object is no more."""

TOLD_ONCE = {"createApiKey": {"secret", "warnings"}}
"""What a repeated answer does not tell again, and that it does not."""

LEAVES_NO_KEY = {"eraseUser"}
"""A user who erases themselves erases the key of that too; tests/erasure shows what an admin's key does."""

MUTATIONS = sorted(mutation_fields().keys() - LEAVES_NO_KEY - FOR_ADMINS)

EVENTS = {
    # A new session, the question, the answer that is expected, the run; the last two where the question is there.
    # Of a prompt, that it was executed besides: the question of the run is one, and answered again it is so again.
    # Of a stage, that it was asked for and that a model is at it: the rest is a prompt that is executed.
    "sendMessage": 4, "executePrompt": 5, "regenerateMessage": 2, "retryRun": 3, "generateStage": 7,
    # Of a key its own row tells.
    "createApiKey": 0, "revokeApiKey": 0,
}  # fmt: skip
"""How many events the changes are that are more than one. Of a prompt template, a line of its history is one."""

NOT_COMPARED = {"correlationId", "processingTimeMs", "deduplicated"}


@pytest.fixture(scope="module")
def world(cluster: str, template: str, built: Any) -> Filled[tuple[Conversation, Conversation]]:
    """Two conversations."""

    async def fill(client_as: ClientAs) -> tuple[Conversation, Conversation]:
        client = await client_as("alice")
        return await conversation(client, mark="own"), await conversation(client, mark="other")

    return filled(cluster, template, built, fill)


@pytest.fixture
async def dsn(cluster: str, world: Filled[Any]) -> AsyncIterator[str]:
    """The address of a database of the test's own, which holds them."""
    async with cloned(cluster, world.template) as address:
        yield address


@pytest.fixture
def own(world: Filled[tuple[Conversation, Conversation]]) -> Conversation:
    """The one to change."""
    return world.told[0]


@pytest.fixture
def other(world: Filled[tuple[Conversation, Conversation]]) -> Conversation:
    """The other one."""
    return world.told[1]


async def payload_of(client: GraphQLClient, mutation: str, input_: dict[str, Any]) -> dict[str, Any]:
    """The whole payload of a mutation."""
    query = document("mutation", mutation, {"input": input_}, answer_of("mutation", mutation))
    payload: dict[str, Any] = (await client.data(query, {"input": input_}))[mutation]
    return payload


def keyed_input(mutation: str, own: Ids, key: str = "once") -> dict[str, Any]:
    """A valid input with a key."""
    input_: dict[str, Any] = valid_arguments("mutation", mutation, own)["input"]
    return {**input_, "clientKey": key}


def comparable(mutation: str, payload: dict[str, Any]) -> dict[str, Any]:
    """What two answers to the same request have in common."""
    left_out = NOT_COMPARED | {ENDS_ITS_OBJECT.get(mutation, "")} | TOLD_ONCE.get(mutation, set())
    return {name: value for name, value in payload.items() if name not in left_out}


async def events(dsn: str) -> int:
    """How many events there are."""
    return told(await stored(dsn))


def told(found: dict[str, tuple[int, str]]) -> int:
    """How many events are stored."""
    return found["events"][0] + found["prompt_template_changes"][0]


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_the_same_key_and_input_is_done_once(
    mutation: str, client: GraphQLClient, own: Conversation, dsn: str
) -> None:
    input_ = keyed_input(mutation, await ids_for(client, mutation, own))
    before = await events(dsn)

    first = await payload_of(client, mutation, input_)
    after = await stored(dsn)
    again = await payload_of(client, mutation, input_)

    assert (first["success"], first["deduplicated"], first["error"]) == (True, False, None)
    assert (again["success"], again["deduplicated"], again["error"]) == (True, True, None)
    assert comparable(mutation, again) == comparable(mutation, first)
    assert await stored(dsn) == after
    assert told(after) == before + EVENTS.get(mutation, 1)


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_ten_at_once_with_one_key_are_done_once(
    mutation: str, client: GraphQLClient, own: Conversation, dsn: str
) -> None:
    input_ = keyed_input(mutation, await ids_for(client, mutation, own))
    before = await stored(dsn)

    payloads = await asyncio.gather(*(payload_of(client, mutation, input_) for _ in range(10)))

    assert [payload["error"] for payload in payloads] == [None] * 10
    assert sorted(payload["deduplicated"] for payload in payloads) == [False] + [True] * 9
    answers = [comparable(mutation, payload) for payload in payloads]
    assert answers == answers[:1] * 10
    after = await stored(dsn)
    assert told(after) == told(before) + EVENTS.get(mutation, 1)
    assert after["client_keys"][0] == before["client_keys"][0] + 1


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_a_key_that_was_used_for_another_input_is_refused(
    mutation: str, client: GraphQLClient, own: Conversation, other: Conversation, dsn: str
) -> None:
    ids = await ids_for(client, mutation, own)
    others = await ids_for(client, mutation, other)
    await payload_of(client, mutation, keyed_input(mutation, ids))
    before = await stored(dsn)

    payload = await payload_of(client, mutation, different_input(mutation, ids, others))

    assert payload["success"] is False
    assert payload["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert payload["error"]["field"] == "clientKey"
    assert await stored(dsn) == before


def different_input(mutation: str, own: Ids, other: Ids) -> dict[str, Any]:
    """The same key with another text in it, or where no text is taken, another object."""
    for place in places("mutation"):
        if place.field == mutation and place.leaf.name == "String" and place.name != "clientKey":
            return {**arguments_with(place, "another text", own)["input"], "clientKey": "once"}
    return keyed_input(mutation, other)


async def test_a_key_that_was_used_for_another_mutation_is_refused(client: GraphQLClient, own: Conversation) -> None:
    await payload_of(client, "deleteMessage", {"messageId": own.question, "clientKey": "once"})

    payload = await payload_of(client, "deleteSession", {"sessionId": own.session, "clientKey": "once"})

    assert payload["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_a_refused_request_does_not_use_up_its_key(
    mutation: str, client: GraphQLClient, own: Conversation, dsn: str
) -> None:
    ids = await ids_for(client, mutation, own)
    before = await stored(dsn)

    refused = await payload_of(client, mutation, refused_input(mutation, ids))
    unchanged = await stored(dsn)
    taken = await payload_of(client, mutation, keyed_input(mutation, ids))

    assert refused["success"] is False
    assert unchanged == before
    assert (taken["success"], taken["deduplicated"]) == (True, False)


def refused_input(mutation: str, own: Ids) -> dict[str, Any]:
    """An input of the right types that names nothing that is there, or where it names nothing, has a blank text."""
    valid, nowhere = keyed_input(mutation, own), valid_arguments("mutation", mutation, random_ids())["input"]
    if any(name in nowhere and nowhere[name] != valid[name] for name in valid):
        return {**nowhere, "clientKey": "once"}
    text = next(place for place in places("mutation") if place.field == mutation and place.leaf.name == "String")
    return {**arguments_with(text, " ", own)["input"], "clientKey": "once"}


@pytest.mark.parametrize("key", ["", "  ", "k" * 201])
async def test_a_key_is_one_to_two_hundred_characters(
    key: str, client: GraphQLClient, own: Conversation, dsn: str, subtests: pytest.Subtests
) -> None:
    ids = {mutation: await ids_for(client, mutation, own) for mutation in MUTATIONS}
    before = await stored(dsn)

    for mutation in MUTATIONS:
        with subtests.test(mutation):
            payload = await payload_of(client, mutation, keyed_input(mutation, ids[mutation], key))

            assert payload["error"]["code"] == "VALIDATION_ERROR"
            assert payload["error"]["field"] == "clientKey"
    assert await stored(dsn) == before


async def test_a_key_of_two_hundred_characters_of_any_script_is_taken(client: GraphQLClient) -> None:
    key = "🔑ключ" * 40

    payload = await payload_of(client, "createSession", {"clientKey": key})

    assert (len(key), payload["success"]) == (200, True)


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_without_a_key_every_change_is_one_event(
    mutation: str, client: GraphQLClient, own: Conversation, dsn: str
) -> None:
    ids = await ids_for(client, mutation, own)
    before = await events(dsn)

    await payload_of(client, mutation, valid_arguments("mutation", mutation, ids)["input"])

    assert await events(dsn) == before + EVENTS.get(mutation, 1)


def test_a_place_for_a_key_is_in_every_mutation() -> None:
    keyed = {place.field for place in places("mutation") if place == _key_of(place)}

    assert keyed == mutation_fields().keys()


def _key_of(place: Place) -> Place:
    return Place("mutation", place.field, ("input", "clientKey"), place.leaf)
