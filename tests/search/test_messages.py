"""Messages are found by words, phrases and parts of words, at once and by nobody else."""

from typing import Any

import pytest

from tests.client import GraphQLClient

SEARCH = """
query ($query: String!, $sessionId: ID, $userId: String, $role: MessageRole, $from: DateTime, $to: DateTime,
       $first: Int, $after: String, $last: Int, $before: String) {
  searchMessages(query: $query, sessionId: $sessionId, userId: $userId, role: $role, from: $from, to: $to,
                 first: $first, after: $after, last: $last, before: $before) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    nodes { rank snippet fragments { text highlighted } message { id content session { title } } }
  }
}
"""


async def search(client: GraphQLClient, query: str, **arguments: Any) -> dict[str, Any]:
    """The connection that a search answers."""
    found: dict[str, Any] = (await client.data(SEARCH, {"query": query, **arguments}))["searchMessages"]
    return found


async def found_by(client: GraphQLClient, query: str, **arguments: Any) -> list[str]:
    """The contents that are found, the best first."""
    return [hit["message"]["content"] for hit in (await search(client, query, **arguments))["nodes"]]


async def said(client: GraphQLClient, *contents: str, title: str = "Talk") -> str:
    """The id of a session in which these were said."""
    session = await client.create_session(title=title)
    for content in contents:
        assert (await client.say(session, content))["success"]
    return session


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("train", ["The train to Porto", "trains, TRAIN and training"]),
        ("TRAIN porto", ["The train to Porto"]),
        ('"to porto"', ["The train to Porto"]),
        ('"porto to"', []),
        ('"trai"', []),
        ("ortugu", ["Olá! Ça va, português?"]),
        ("ça", ["Olá! Ça va, português?"]),
        ("train -porto", ["trains, TRAIN and training"]),
        ('train -"to porto"', ["trains, TRAIN and training"]),
        ("train -port", ["The train to Porto", "trains, TRAIN and training"]),
        ("porto or olá", ["The train to Porto", "Olá! Ça va, português?"]),
        ("porto OR olá train", ["The train to Porto"]),
        ("to", ["The train to Porto"]),
        ("po", []),
        ("foo_bar", ["call foo.bar(baz) on C:\\temp"]),
        ("baz) on c:", ["call foo.bar(baz) on C:\\temp"]),
        ("100%", []),
        ("_", None),
    ],
)
async def test_query_finds_what_it_says(client: GraphQLClient, query: str, found: list[str] | None) -> None:
    await said(
        client, "The train to Porto", "trains, TRAIN and training", "Olá! Ça va, português?",
        "call foo.bar(baz) on C:\\temp",
    )  # fmt: skip

    answer = await client.answer(SEARCH, {"query": query})

    if found is None:
        assert answer["errors"][0]["extensions"]["code"] == "VALIDATION_ERROR"
    else:
        assert "errors" not in answer, answer
        assert sorted(hit["message"]["content"] for hit in answer["data"]["searchMessages"]["nodes"]) == sorted(found)
