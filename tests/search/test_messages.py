"""Messages are found by words, phrases and parts of words, at once and by nobody else."""

from typing import Any

import pytest

from app.db import migrate
from tests.client import GraphQLClient
from tests.conversations import rows
from tests.fakes import StatementRecorder
from tests.worlds import ClientAs

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


async def test_whole_words_rank_before_beginnings_and_these_before_parts(client: GraphQLClient) -> None:
    await said(client, "reconverted", "conversation", "conver", "conver and conver", "nothing of it")

    hits = (await search(client, "conver"))["nodes"]

    assert [(hit["message"]["content"], hit["rank"]) for hit in hits] == [
        ("conver and conver", 0.8), ("conver", 0.733333), ("conversation", 0.4), ("reconverted", 0.2),
    ]  # fmt: skip
    assert hits[2]["fragments"] == [{"text": "conver", "highlighted": True}, {"text": "sation", "highlighted": False}]
    assert hits[2]["snippet"] == "conversation"


async def test_changed_text_is_found_at_once_and_a_tombstone_never(client: GraphQLClient) -> None:
    session = await said(client, "the apple")
    message = (await search(client, "apple"))["nodes"][0]["message"]["id"]

    await client.mutate("updateMessage", "message { id }", {"messageId": message, "content": "the pear"})
    assert (await found_by(client, "apple"), await found_by(client, "pear")) == ([], ["the pear"])

    await client.mutate("deleteMessage", "message { id }", {"messageId": message})
    assert await found_by(client, "pear") == []

    await client.say(session, "the plum")
    await client.mutate("deleteSession", "success", {"sessionId": session})
    assert await found_by(client, "plum") == []


async def test_answer_is_found_once_it_is_written(client: GraphQLClient) -> None:
    session = await client.create_session()
    begun = await client.mutate("createStreamingContext", "message { id }", {"sessionId": session})
    assert await found_by(client, "written") == []

    await client.mutate(
        "completeStreamingMessage", "message { id }", {"messageId": begun["message"]["id"], "content": "it is written"}
    )

    assert await found_by(client, "written") == ["it is written"]


async def test_search_is_private_and_an_admin_names_whom(client_as: ClientAs) -> None:
    alice, bob, other, admin = [await client_as(name) for name in ("alice", "bob", "alice@acme", "system")]
    session = await said(alice, "a secret of alice")

    assert [await found_by(who, "secret") for who in (alice, bob, other, admin)] == [["a secret of alice"], [], [], []]
    assert await found_by(bob, "secret", userId="alice") == []
    assert await found_by(bob, "secret", sessionId=session) == []
    assert await found_by(admin, "secret", userId="alice") == ["a secret of alice"]
    assert (await search(bob, "secret", userId="alice"))["totalCount"] == 0


async def test_pages_follow_each_other_both_ways_and_a_cursor_belongs_to_its_query(client: GraphQLClient) -> None:
    await said(client, *(f"word number {number} " + "word " * (number % 3) for number in range(7)))
    everything = await found_by(client, "word")

    pages, after = [], None
    while True:
        page = await search(client, "word", first=3, after=after)
        pages.append([hit["message"]["content"] for hit in page["nodes"]])
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    back = await search(client, "word", last=4, before=after)
    foreign = await client.answer(SEARCH, {"query": "number", "after": after})

    assert ([content for contents in pages for content in contents], page["totalCount"]) == (everything, 7)
    assert [hit["message"]["content"] for hit in back["nodes"]] == everything[2:6]
    assert foreign["errors"][0]["extensions"]["code"] == "INVALID_CURSOR"


async def test_filters_narrow_and_many_hits_take_three_statements(
    client: GraphQLClient, statements: StatementRecorder
) -> None:
    first = await said(client, *["the word"] * 12)
    await said(client, "the word")
    await client.reply(first, "the word again")
    now = (await client.data("query ($id: ID!) { session(id: $id) { updatedAt } }", {"id": first}))["session"]

    assert len(await found_by(client, "word", sessionId=first)) == 13
    assert await found_by(client, "word", role="ASSISTANT") == ["the word again"]
    assert await found_by(client, "word", **{"from": "2999-01-01T00:00:00Z"}) == []
    assert len(await found_by(client, "word", to=now["updatedAt"])) == 13

    statements.clear()
    await client.data('{ searchMessages(query: "word", first: 50) { nodes { message { session { title } } } } }')
    assert len(statements.sent) == 3


HARD = {
    "random": "".join(chr(0x20 + (number * 7919) % 0xD7DF) for number in range(1_000_000)),
    "one word": "a" * 1_000_000,
    "emoji": "👍🏽" * 500_000,
    "control characters": "\x01\x7f" * 499_990 + " the end of it",
    "expanding": "\ufdfa" * 1_000_000,
}


@pytest.mark.parametrize("kind", HARD)
async def test_no_text_is_refused_because_of_the_index(client: GraphQLClient, kind: str) -> None:
    session = await client.create_session()

    payload = await client.say(session, "needle " + HARD[kind][:999_980])

    assert payload["success"], payload["error"]
    assert len((await search(client, "needle", sessionId=session))["nodes"]) == 1


_SCRIPTS = [
    "我们明天去北京开会讨论合同",
    "東京タワーに行きましょう",
    "สวัสดีครับ ยินดีต้อนรับ",
    "안녕하세요 여러분",
    "手机iPhone很好用",
]


async def test_every_two_neighbours_of_a_script_without_spaces_are_found(client: GraphQLClient) -> None:
    await said(client, *_SCRIPTS)

    for text in _SCRIPTS:
        for start in range(len(text) - 1):
            for length in (1, 2, 3):
                part = text[start : start + length]
                if " " not in part and not part.isascii() and len(part) == length and not part[0].isascii():
                    assert text in await found_by(client, part), part


async def test_every_part_of_three_letters_and_every_whole_word_is_found(client: GraphQLClient) -> None:
    text = "Ärger mit der Straßenbahn: C++ und Go sind x86-Sprachen, naïve façade"
    await said(client, text, "something else")

    for word in ("Ärger", "mit", "Straßenbahn", "C", "go", "SIND", "x86", "sprachen", "NAÏVE", "façade"):
        assert await found_by(client, word) == [text], word
        for start in range(max(len(word) - 2, 0)):
            assert text in await found_by(client, word[start : start + 3]), word[start : start + 3]


async def test_what_was_there_before_the_index_is_entered_by_the_migration(client: GraphQLClient, dsn: str) -> None:
    await said(client, "from before", title="Old title")
    before = await rows(dsn, "SELECT * FROM search_entries ORDER BY id")

    await migrate.downgrade(dsn, "20261121_ages")
    await migrate.upgrade(dsn)

    assert await rows(dsn, "SELECT * FROM search_entries ORDER BY id") == before
    assert await found_by(client, "before") == ["from before"]
