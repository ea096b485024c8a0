"""Pages that cannot be are refused with the name of the argument, and a cursor is good for its own list alone."""

from itertools import product

import pytest

from app.core.ids import parse_global_id
from app.core.paging import ListName
from tests.client import GraphQLClient
from tests.promises.test_bad_input import refusal
from tests.worlds import Conversation, conversation

LISTS = {
    "sessions": "{{ sessions{} {{ nodes {{ id }} }} }}",
    "messages": "query ($id: ID!) {{ session(id: $id) {{ messages{} {{ nodes {{ id }} }} }} }}",
    "activePath": "query ($id: ID!) {{ session(id: $id) {{ activePath{} {{ nodes {{ id }} }} }} }}",
    "auditEvents": "{{ auditEvents{} {{ nodes {{ id }} }} }}",
    "runs": "query ($id: ID!) {{ session(id: $id) {{ runs{} {{ nodes {{ id }} }} }} }}",
}


PAGES = [
    ("(first: 0)", "VALIDATION_ERROR", "first"),
    ("(first: -1)", "VALIDATION_ERROR", "first"),
    ("(first: 101)", "VALIDATION_ERROR", "first"),
    ("(last: 0)", "VALIDATION_ERROR", "last"),
    ("(last: 101)", "VALIDATION_ERROR", "last"),
    ("(first: 1, last: 1)", "VALIDATION_ERROR", "last"),
    ('(after: "")', "INVALID_CURSOR", "after"),
    ('(after: "x")', "INVALID_CURSOR", "after"),
    ('(before: "WzFd")', "INVALID_CURSOR", "before"),
    ('(first: 1, after: "é")', "INVALID_CURSOR", "after"),
    (f'(after: "{"A" * 5_000}")', "INVALID_CURSOR", "after"),
]


async def test_pages_that_cannot_be_are_refused(
    client: GraphQLClient, talk: Conversation, subtests: pytest.Subtests
) -> None:
    for (name, query), (arguments, code, field) in product(LISTS.items(), PAGES):
        variables = {"id": talk.session} if "$id" in query else {}
        with subtests.test(f"{name}{arguments[:40]}"):
            error = await refusal(client, "query", name, query.format(arguments), variables)

            assert (error["code"], error["field"]) == (code, field)


async def test_cursors_of_other_lists_are_refused(client: GraphQLClient, talk: Conversation) -> None:
    other = await conversation(client)
    data = await client.data(
        """query ($session: ID!, $message: ID!) {
          updated: sessions(first: 1) { pageInfo { endCursor } }
          created: sessions(first: 1, orderBy: CREATED_AT_ASC) { pageInfo { endCursor } }
          other: session(id: $session) { messages(first: 1) { pageInfo { endCursor } } }
          path: session(id: $session) { activePath(first: 1) { pageInfo { endCursor } } }
          children: message(id: $message) { children(first: 1) { pageInfo { endCursor } } }
          events: auditEvents(first: 1) { pageInfo { endCursor } }
          runs: session(id: $session) { runs(first: 1) { pageInfo { endCursor } } }
        }""",
        {"session": other.session, "message": talk.question},
    )
    cursors = {
        "updated": data["updated"]["pageInfo"]["endCursor"],
        "created": data["created"]["pageInfo"]["endCursor"],
        "other": data["other"]["messages"]["pageInfo"]["endCursor"],
        "path": data["path"]["activePath"]["pageInfo"]["endCursor"],
        "children": data["children"]["children"]["pageInfo"]["endCursor"],
        "events": data["events"]["pageInfo"]["endCursor"],
        "runs": data["runs"]["runs"]["pageInfo"]["endCursor"],
    }
    assert all(cursors.values())

    lists = {"sessions": "updated", "messages": None, "activePath": None, "auditEvents": "events", "runs": None}
    for name, own in lists.items():
        for kind, cursor in cursors.items():
            if kind == own:
                continue
            variables = {"id": talk.session} if "$id" in LISTS[name] else {}
            query = LISTS[name].format(f'(after: "{cursor}")')
            error = await refusal(client, "query", name, query, variables)
            assert (error["code"], error["field"]) == ("INVALID_CURSOR", "after"), (name, kind)


async def test_cursor_of_a_number_that_no_message_has_is_an_empty_page_or_all(
    client: GraphQLClient, talk: Conversation
) -> None:
    numbers = [2**31, -(2**31) - 1, 2**63 - 1]
    for name, number, argument in product(["messages", "activePath"], numbers, ["after", "before"]):
        cursor = ListName(name, parse_global_id(talk.session, "ChatSession")).encode((number,))

        answer = await client.answer(LISTS[name].format(f'(last: 10, {argument}: "{cursor}")'), {"id": talk.session})

        assert "errors" not in answer, (name, number, argument, answer)


async def test_nested_lists_refuse_a_cursor_of_one_parent(client: GraphQLClient) -> None:
    talk = await conversation(client)
    await conversation(client)
    page = await client.data(
        LISTS["messages"].format("(first: 1)").replace("id }", "id } edges { cursor }"), {"id": talk.session}
    )
    cursor = page["session"]["messages"]["edges"][0]["cursor"]

    answer = await client.answer(f'{{ sessions {{ nodes {{ messages(after: "{cursor}") {{ nodes {{ id }} }} }} }} }}')

    assert {error["extensions"]["code"] for error in answer["errors"]} == {"INVALID_CURSOR"}
