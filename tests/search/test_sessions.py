"""Sessions are found by their own texts and by what was said in them."""

from typing import Any

from tests.client import GraphQLClient
from tests.worlds import ClientAs

SEARCH = """
query ($query: String!, $filter: SessionFilter, $first: Int, $after: String) {
  searchSessions(query: $query, filter: $filter, first: $first, after: $after) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes { rank snippet matchedIn session { title } message { content } }
  }
}
"""


async def search(client: GraphQLClient, query: str, **arguments: Any) -> dict[str, Any]:
    """The connection that a search answers."""
    found: dict[str, Any] = (await client.data(SEARCH, {"query": query, **arguments}))["searchSessions"]
    return found


async def test_session_is_found_by_each_of_its_texts(client: GraphQLClient) -> None:
    session = await client.create_session(
        title="Trip to Lisbon", description="By train", tags=["travel", "night train"], summary="Leaves at noon"
    )
    await client.say(session, "when does the train leave?")

    told = {
        query: (await search(client, query))["nodes"][0]
        for query in ("lisbon", "noon", '"night train"', "does", "train", "trip travel")
    }

    assert {query: hit["matchedIn"] for query, hit in told.items()} == {
        "lisbon": ["TITLE"],
        "noon": ["SUMMARY"],
        '"night train"': ["TAGS"],
        "does": ["MESSAGES"],
        "train": ["DESCRIPTION", "TAGS", "MESSAGES"],
        "trip travel": ["TITLE", "TAGS"],
    }
    assert told["does"]["message"] == {"content": "when does the train leave?"}
    assert (told["noon"]["snippet"], told["noon"]["message"]) == ("Leaves at noon", None)
    # Titles and tags are texts of their own.
    assert (await search(client, '"lisbon by"'))["nodes"] == []


async def test_changed_texts_are_found_at_once(client: GraphQLClient) -> None:
    session = await client.create_session(title="Apple", tags=["fruit"])

    await client.mutate("updateSession", "session { id }", {"sessionId": session, "title": "Pear"})
    await client.mutate("setSessionMetadata", "session { id }", {"sessionId": session, "tags": ["tree"]})

    counts = {query: (await search(client, query))["totalCount"] for query in ("apple", "pear", "fruit", "tree")}
    assert counts == {"apple": 0, "pear": 1, "fruit": 0, "tree": 1}


async def test_filter_and_pages_hold_for_what_is_found(client_as: ClientAs) -> None:
    alice, bob, admin = [await client_as(name) for name in ("alice", "bob", "system")]
    for number in range(5):
        session = await alice.create_session(title=f"Plan {number}", tags=["odd"] if number % 2 else [])
        await alice.say(session, "the plan and the plan")

    first = await search(alice, "plan", first=3)
    second = await search(alice, "plan", first=3, after=first["pageInfo"]["endCursor"])

    titles = [hit["session"]["title"] for page in (first, second) for hit in page["nodes"]]
    assert titles == ["Plan 4", "Plan 3", "Plan 2", "Plan 1", "Plan 0"]
    assert (first["totalCount"], second["pageInfo"]["hasNextPage"]) == (5, False)
    odd = await search(alice, "plan", filter={"tags": ["odd"]})
    assert [hit["session"]["title"] for hit in odd["nodes"]] == ["Plan 3", "Plan 1"]
    assert (await search(bob, "plan", filter={"userId": "alice"}))["totalCount"] == 0
    assert (await search(admin, "plan"))["nodes"] == []
    assert len((await search(admin, "plan", filter={"userId": "alice"}))["nodes"]) == 5
