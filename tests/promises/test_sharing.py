"""What is generated for a project is read by everybody in its tenant, and written by its owner alone."""

import json

import pytest

from tests.client import GraphQLClient
from tests.promises.test_isolation import asked_about, id_places, selection_of_node
from tests.schema_walk import FOR_ADMINS, ID_NAMES, document, random_id
from tests.worlds import ClientAs, Conversation, add_session_of_project, conversation, rows, stored

OF_A_SESSION = {
    "AgentState", "ChatMessage", "ChatSession", "MessageAttachment", "PromptExecution", "Run", "SessionMetadata",
    "ToolCall", "ToolExecution",
}  # fmt: skip
"""Types whose objects are shared with the session that they hang on."""

OWN_ALONE = {"auditEvents", "searchMessages"}
"""Fields of Query that show of a session only what is one's own, be it shared or not."""

SHARE = """UPDATE chat_sessions SET project_id = (SELECT id FROM projects WHERE name = 'theirs')
  WHERE user_id = 'bob' AND tenant_id = 'default' AND title = 'own'"""


@pytest.fixture
async def alice(client_as: ClientAs) -> GraphQLClient:
    """Who shares a tenant with bob."""
    client: GraphQLClient = await client_as("alice")
    return client


@pytest.fixture
async def bobs(client_as: ClientAs, dsn: str) -> Conversation:
    """What bob has in a session of a project, everything that hangs on one."""
    bob = await client_as("bob")
    found = await conversation(bob, mark="own")
    await add_session_of_project(bob, "theirs")
    await rows(dsn, SHARE)
    return found


async def test_members_read_all_that_hangs_on_a_session_of_a_project(
    client_as: ClientAs, alice: GraphQLClient, bobs: Conversation
) -> None:
    bob, stranger = await client_as("bob"), await client_as("bob@acme")
    one_node = document("query", "node", {"id": ""}, selection_of_node())

    for kind in OF_A_SESSION:
        found = await alice.data(one_node, {"id": bobs.ids[kind]})

        assert found["node"]["__typename"] == kind
        assert found == await bob.data(one_node, {"id": bobs.ids[kind]})
        assert (await stranger.data(one_node, {"id": bobs.ids[kind]}))["node"] is None


async def test_members_ask_of_a_session_of_a_project_as_its_owner_does(
    client_as: ClientAs, alice: GraphQLClient, bobs: Conversation
) -> None:
    bob, stranger = await client_as("bob"), await client_as("bob@acme")
    of_session = [place for place in id_places("query") if place.name == "sessionId"]

    for place in of_session:
        answers = [await asked_about(who, place, bobs.session, bobs.ids) for who in (alice, bob, stranger)]
        nowhere = await asked_about(alice, place, random_id("ChatSession"), bobs.ids)

        assert [answer == nowhere for answer in answers] == [place.field in OWN_ALONE, False, True], place
    exports = [await who.http.get(f"/sessions/{bobs.session}/export") for who in (alice, bob, stranger)]
    assert [export.status_code for export in exports] == [200, 200, 404]


async def test_members_write_nothing_to_a_session_of_a_project(
    client_as: ClientAs, alice: GraphQLClient, bobs: Conversation, dsn: str
) -> None:
    own = (await conversation(alice, mark="own")).ids
    before = await stored(dsn)

    for place in id_places("mutation"):
        kind = ID_NAMES[place.name]
        if kind in OF_A_SESSION and place.field not in FOR_ADMINS:
            nowhere = await asked_about(alice, place, random_id(kind), own)
            assert await asked_about(alice, place, bobs.ids[kind], own) == nowhere, place
            assert '"success": false' in nowhere, place

    assert await stored(dsn) == before


async def test_members_follow_a_session_of_a_project_and_its_answers(live_as: ClientAs, bobs: Conversation) -> None:
    alice, stranger = await live_as("alice"), await live_as("bob@acme")

    for place in (place for place in id_places("subscription") if ID_NAMES[place.name] in OF_A_SESSION):
        nowhere = await asked_about(alice, place, random_id(ID_NAMES[place.name]), bobs.ids)
        assert '"errors"' not in await asked_about(alice, place, bobs.ids[ID_NAMES[place.name]], bobs.ids), place
        assert await asked_about(stranger, place, bobs.ids[ID_NAMES[place.name]], bobs.ids) == nowhere, place


async def test_no_list_and_no_search_shows_members_what_is_shared(alice: GraphQLClient, bobs: Conversation) -> None:
    template = bobs.ids["PromptTemplate"]
    lists = [
        "sessions { totalCount nodes { id } }",
        'searchSessions(query: "own") { totalCount }',
        'searchMessages(query: "own") { totalCount }',
        "pendingApprovals { totalCount }",
        "auditEvents { totalCount }",
        f'promptTemplate(id: "{template}") {{ versions {{ nodes {{ executions {{ totalCount }} }} }} }}',
    ]

    for query in lists:
        assert '"totalCount": 0' in json.dumps(await alice.data(f"{{ {query} }}")), query


async def test_its_owner_writes_and_forks_what_is_shared(
    client_as: ClientAs, alice: GraphQLClient, bobs: Conversation
) -> None:
    bob = await client_as("bob")

    renamed = await bob.mutate("updateSession", "session { title }", {"sessionId": bobs.session, "title": "renamed"})
    said = await bob.say(bobs.session, "more")
    forked = await bob.mutate("forkSession", "session { id }", {"sessionId": bobs.session})
    refused = await alice.mutate("forkSession", "session { id }", {"sessionId": bobs.session})

    assert [one["success"] for one in (renamed, said, forked)] == [True] * 3
    assert refused["error"]["code"] == "SESSION_NOT_FOUND"
    fork = forked["session"]["id"]
    listed = (await bob.data("{ sessions { nodes { id } } }"))["sessions"]["nodes"]
    assert [node["id"] for node in listed] == [fork], "a fork is a conversation like any"
    seen = "query ($id: ID!) { session(id: $id) { title forkedFrom { session { id } } } }"
    assert await alice.data(seen, {"id": fork}) == {"session": None}
    assert (await bob.data(seen, {"id": fork}))["session"]["forkedFrom"] == {"session": {"id": bobs.session}}
    gone = await bob.mutate("deleteSession", "deletedSessionId", {"sessionId": bobs.session})
    assert gone["success"]
    assert await alice.data(seen, {"id": bobs.session}) == {"session": None}
