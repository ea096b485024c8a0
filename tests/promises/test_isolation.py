"""What is not yours is answered as what is not there: another's id tells nothing and changes nothing."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from app.workflow.values import NODE_TYPES
from tests.client import Door, GraphQLClient
from tests.identity.credentials import TOKENS
from tests.schema_walk import (
    FOR_ADMINS,
    ID_NAMES,
    Ids,
    Place,
    answer_of,
    arguments_with,
    document,
    node_types,
    places,
    query_fields,
    random_id,
    random_ids,
    selection,
    valid_arguments,
)
from tests.worlds import ClientAs, Conversation, conversation, ids_for, rows, stored

NAMES = {"userId": "bob", "actor": "bob", "agentId": "bobs", "tags": "bobs", "query": "bobs"}
"""What filters name by text: the value that finds another user's rows, where a filter reaches them."""

NAMES_OF_SHARED = {"name", "text", "label", "projectId", "organizationId", "createdBy"}
"""The same for what all of a tenant read: tried with those of another tenant."""

NOT_NAMES = {"after", "before", "timeZone"}
"""Text of queries that names no row: cursors are tried with other lists elsewhere."""

OF_THE_TENANT = FOR_ADMINS | {"revokeApiKey"}
"""Mutations by which an admin changes what others have: tests/identity shows it of their keys."""

FIGURES = {"sessionStatistics", "messagePersistenceStatistics", "messageSeries", "usageSeries"}
"""What answers with numbers, in which no text can be looked for: of what is not there, with null."""
ASKS_FOR_A_ROLE = {"userId"}
"""Text of mutations that names a user, which only an admin may: tests/erasure shows that others may not."""

FREE_TEXT = {"callId", "agentId", "projectId", "organizationId", "contextFileId"}
"""Text of mutations that looks like the id of a row, and is the application's own."""


OF_WORKFLOW = {"Project", *NODE_TYPES.values(), "Review", "Story"}

SHARED = {"PromptTemplate", "PromptTemplateVersion", *OF_WORKFLOW}
"""Types whose objects all of a tenant read, and its editors write."""

SHARED_FIELDS = {
    "promptTemplate",
    "promptTemplateByName",
    "enabledPromptTemplate",
    "promptTemplates",
    "promptTemplatesPage",
    "project",
    "projects",
    "stage",
    "review",
    "pendingReviews",
}
"""Fields of Query that show them."""

FROM_THE_START = {"sessionEvents": {"after": "0"}, "projectEvents": {"after": "0"}}
"""What has a stream tell of a conversation that is over, where it would else wait for what comes."""


def id_places(operation: str) -> list[Place]:
    """Where a global id is taken."""
    return [place for place in places(operation) if place.leaf.name == "ID"]


def name_places() -> list[Place]:
    """Where a query takes text that names rows."""
    return [place for place in places("query") if place.leaf.name == "String" and place.name not in NOT_NAMES]


async def asked(client: GraphQLClient, place: Place, arguments: dict[str, Any]) -> Any:
    """The answer to a call, without what differs from one request to the next."""
    arguments = {**FROM_THE_START.get(place.field, {}), **arguments}
    query = document(place.operation, place.field, arguments, answer_of(place.operation, place.field))
    if place.operation == "subscription":
        answer = await client.first_event(query, arguments)
    else:
        response = await client.post(query, arguments)
        assert response.status_code < 500, response.text
        answer = response.json()
    # A fault of ours answers every id alike, and shows nothing.
    assert "INTERNAL_SERVER_ERROR" not in json.dumps(answer), answer
    return without_request(answer)


def without_request(answer: Any) -> Any:
    """An answer without correlation ids and durations."""
    if isinstance(answer, dict):
        return {
            name: without_request(inner)
            for name, inner in answer.items()
            if name not in ("correlationId", "processingTimeMs")
        }
    return [without_request(inner) for inner in answer] if isinstance(answer, list) else answer


async def asked_about(client: GraphQLClient, place: Place, value: str, own: Ids) -> str:
    """The answer to a call with `value` at a place, as text, without the value where it is echoed."""
    arguments = arguments_with(place, value, own)
    if place.operation == "mutation":
        arguments["input"]["clientKey"] = str(uuid4())
    answer = await asked(client, place, arguments)
    return json.dumps(answer, sort_keys=True).replace(value, "<value>")


@pytest.fixture
def door() -> Door:
    """Who asks shows a token."""
    return TOKENS


@pytest.fixture
async def alice(client_as: ClientAs) -> GraphQLClient:
    """Who asks."""
    client: GraphQLClient = await client_as("alice")
    return client


@pytest.fixture
async def bobs(client_as: ClientAs) -> Conversation:
    """What another user of the same tenant has."""
    return await conversation(await client_as("bob"), mark="bobs")


@pytest.fixture
async def strangers(client_as: ClientAs) -> Conversation:
    """What a user of another tenant has, who even has the same name."""
    return await conversation(await client_as("alice@acme"), mark="strangers")


def test_the_walk_knows_an_object_of_every_type() -> None:
    own = Conversation(
        random_id("ChatSession"), "", [["", ""]], [""], [""], [""], [""], [""], workflow=dict.fromkeys(OF_WORKFLOW, "")
    )

    assert sorted(own.ids) == node_types()


def test_every_place_that_names_a_row_has_a_rule() -> None:
    text = {place.name for place in places("mutation") if place.leaf.name == "String" and place.name.endswith("Id")}

    assert text <= FREE_TEXT | ASKS_FOR_A_ROLE
    assert {place.name for place in name_places()} <= {*NAMES, *NAMES_OF_SHARED, "correlationId"}
    assert id_places("query")
    assert id_places("mutation")
    assert id_places("subscription")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("operation", ["query", "mutation"])
async def test_anothers_id_is_answered_as_one_that_is_not_there(
    operation: str, alice: GraphQLClient, bobs: Conversation, strangers: Conversation, dsn: str
) -> None:
    own = (await conversation(alice, mark="own")).ids
    before = await stored(dsn)

    for place, kind in pairs(operation):
        nowhere = await asked_about(alice, place, random_id(kind), own)
        if kind not in SHARED:
            assert await asked_about(alice, place, bobs.ids[kind], own) == nowhere, f"{place} with a {kind}"
        assert await asked_about(alice, place, strangers.ids[kind], own) == nowhere, f"{place} with a {kind}"
        assert "bobs" not in nowhere, place
        assert "strangers" not in nowhere, place

    assert await stored(dsn) == before


def pairs(operation: str) -> Iterator[tuple[Place, str]]:
    """Every place an id is taken, with every type of id."""
    return ((place, kind) for place in id_places(operation) for kind in node_types())


@pytest.mark.parametrize("operation", ["query", "mutation"])
async def test_ones_own_id_is_taken_where_anothers_is_not(operation: str, alice: GraphQLClient) -> None:
    refused = []

    for place in (place for place in id_places(operation) if place.field not in FOR_ADMINS):
        own = await ids_for(alice, place.field, await conversation(alice, mark="own"))
        answer = await asked(alice, place, valid_arguments_at(place, own))
        found = answer["data"][place.field]
        shown = found is not None if place.field in FIGURES else '"own"' in json.dumps(answer)
        done = shown if operation == "query" else found["success"]
        refused += [] if done else [(str(place), answer)]

    assert refused == []


def valid_arguments_at(place: Place, own: Ids) -> dict[str, Any]:
    """Arguments with one's own id at a place."""
    arguments = valid_arguments(place.operation, place.field, own)
    named = place.field if place.name in ("id", "ids") else place.name
    wanted = "ChatSession" if named in ("node", "nodes") else ID_NAMES[named]
    return {**arguments, **arguments_with(place, own[wanted], own)}


async def test_anothers_stream_is_answered_as_one_that_is_not_there(
    client_as: ClientAs, live_as: ClientAs, alice: GraphQLClient, bobs: Conversation, strangers: Conversation
) -> None:
    own = (await conversation(alice, mark="own")).ids
    listener = await live_as("alice")

    for place, kind in pairs("subscription"):
        nowhere = await asked_about(listener, place, random_id(kind), own)
        assert '"errors"' in nowhere, place
        if kind not in SHARED:
            assert await asked_about(listener, place, bobs.ids[kind], own) == nowhere, f"{place} with a {kind}"
        assert await asked_about(listener, place, strangers.ids[kind], own) == nowhere, f"{place} with a {kind}"


async def test_ones_own_stream_is_followed(alice: GraphQLClient, live_as: ClientAs) -> None:
    own = (await conversation(alice, mark="own")).ids
    listener = await live_as("alice")

    for place in id_places("subscription"):
        answer = await asked(listener, place, valid_arguments_at(place, own))

        assert "errors" not in answer, place
        assert answer["data"][place.field] is not None, place


async def test_an_admin_follows_what_they_may_read(
    client_as: ClientAs, live_as: ClientAs, bobs: Conversation, strangers: Conversation
) -> None:
    admin = await live_as("system")

    for place in id_places("subscription"):
        kind = ID_NAMES[place.name]
        nowhere = await asked_about(admin, place, random_id(kind), bobs.ids)
        assert '"errors"' not in await asked_about(admin, place, bobs.ids[kind], bobs.ids), place
        assert await asked_about(admin, place, strangers.ids[kind], bobs.ids) == nowhere, place


async def test_filters_find_nothing_of_others(
    alice: GraphQLClient, bobs: Conversation, strangers: Conversation, dsn: str
) -> None:
    own = (await conversation(alice, mark="own")).ids
    requests = {row["actor"]: row["correlation_id"] for row in await rows(dsn, "SELECT * FROM events WHERE seq = 1")}

    for place in name_places():
        if place.field in SHARED_FIELDS:
            theirs = strangers.ids["Project"] if place.name == "projectId" else "strangers"
        else:
            theirs = requests["bob"] if place.name == "correlationId" else NAMES[place.name]

        answer = await asked_about(alice, place, theirs, own)

        assert answer == await asked_about(alice, place, "nobody", own), place
        nothing = ('"totalCount": 0', '"total": 0', f'"{place.field}": null')
        assert any(words in answer for words in nothing), place


async def test_lists_without_a_filter_show_nothing_of_others(
    alice: GraphQLClient, bobs: Conversation, strangers: Conversation
) -> None:
    await conversation(alice, mark="own")

    for name in query_fields():
        if not valid_arguments("query", name, random_ids()):
            answer = json.dumps(await alice.data(document("query", name, {}, answer_of("query", name, depth=3))))
            if name not in SHARED_FIELDS:
                assert "bobs" not in answer, name
                assert bobs.session not in answer, name
            assert "strangers" not in answer, name
            assert strangers.session not in answer, name


async def test_an_admin_reads_the_sessions_of_the_tenant(
    client_as: ClientAs, bobs: Conversation, strangers: Conversation
) -> None:
    admin = await client_as("system")
    one_node = document("query", "node", {"id": ""}, selection_of_node())

    for kind in node_types():
        found = await admin.data(one_node, {"id": bobs.ids[kind]})
        foreign = await admin.data(one_node, {"id": strangers.ids[kind]})

        assert found["node"]["__typename"] == kind
        assert foreign["node"] is None
    listed = await admin.data(
        '{ sessions(filter: {userId: "bob"}) { totalCount nodes { title messages { totalCount } } } }'
    )
    assert listed["sessions"] == {"totalCount": 1, "nodes": [{"title": "bobs", "messages": {"totalCount": 6}}]}


def selection_of_node() -> str:
    """All of any object."""
    found = query_fields()["node"].type
    return selection(found, 1)  # type: ignore[arg-type]


async def test_an_admin_writes_no_session_of_another_user(client_as: ClientAs, bobs: Conversation, dsn: str) -> None:
    admin = await client_as("system")
    own = (await conversation(admin, mark="own")).ids
    before = await stored(dsn)

    for place, kind in ((place, kind) for place, kind in pairs("mutation") if place.field not in OF_THE_TENANT):
        nowhere = await asked_about(admin, place, random_id(kind), own)
        if kind not in SHARED:
            assert await asked_about(admin, place, bobs.ids[kind], own) == nowhere, f"{place} with a {kind}"
        assert '"success": false' in nowhere, place

    assert await stored(dsn) == before


async def test_an_admin_without_a_filter_lists_their_own_sessions(client_as: ClientAs, bobs: Conversation) -> None:
    admin = await client_as("system")

    assert await admin.data("{ sessions { totalCount } }") == {"sessions": {"totalCount": 0}}


async def test_client_keys_of_two_users_and_two_tenants_do_not_collide(client_as: ClientAs) -> None:
    users = [await client_as(name) for name in ("alice", "bob", "alice@acme", "system")]

    payloads = [
        await user.mutate("createSession", "session { id }", {"title": f"of {number}", "clientKey": "the same"})
        for number, user in enumerate(users)
    ]

    assert [payload["error"] for payload in payloads] == [None] * 4
    assert [payload["deduplicated"] for payload in payloads] == [False] * 4
    assert len({payload["session"]["id"] for payload in payloads}) == 4


async def test_a_key_used_by_another_does_not_open_their_session(client_as: ClientAs, bobs: Conversation) -> None:
    alice, bob = await client_as("alice"), await client_as("bob")
    await bob.say(bobs.session, "bobs", clientKey="k")

    payload = await alice.say(bobs.session, "bobs", clientKey="k")

    assert payload["error"]["code"] == "SESSION_NOT_FOUND"
    assert payload["message"] is None
