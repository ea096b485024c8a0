"""Lists read what may hold megabytes only where it is asked for (S1-37)."""

from collections.abc import Mapping

import pytest

from tests.client import GraphQLClient
from tests.fakes import StatementRecorder
from tests.ways import rooted, selected, ways
from tests.worlds import ClientAs, Conversation, conversation

LARGE = {"chat_messages.content": "content", "chat_messages.context": "contextItems { insights }"}
"""Large columns as statements name them, and what asks for each."""

LARGE_OF_PROMPTS = {
    f"{table}.{column}" for table in ("prompt_templates", "prompt_template_versions")
    for column in ("content", "variables")
} | {"prompt_executions.variables"}  # fmt: skip

ASKING = {"contextItems", "declaredVariables", "variables", "diff(from: 1, to: 1)"}
"""Fields that lead to objects which a large column holds, or is compared for."""

WHOLE = {"message", "node", "nodes", "searchMessages", "searchSessions"}
"""Root fields that name their objects by id, which are read whole, or make snippets of what they find."""


@pytest.fixture
async def talk(client: GraphQLClient) -> Conversation:
    """A conversation with answers and a tool call."""
    return await conversation(client, 1)


async def test_no_list_reads_large_columns_that_nobody_asked_for(
    client: GraphQLClient, talk: Conversation, statements: StatementRecorder
) -> None:
    ids = {name: [found] for name, found in talk.ids.items()}
    reading: dict[str, list[str]] = {}
    gone = 0

    for way in ways():
        names = [hop.name for hop in way]
        if len(way) > 1 and names[0] not in WHOLE and not ASKING & set(names):
            gone += 1
            operation = rooted(way, ids, selected(way, "edges", "objects", lambda _: "__typename"))
            if found := await _large(client, statements, operation):
                reading[operation] = found

    assert reading == {}
    assert gone > 20


@pytest.mark.parametrize(
    "selection",
    [
        "messages { nodes { LARGE } }",
        "messages { edges { node { LARGE } } }",
        "messages { nodes { id } edges { node { ... { LARGE } } } }",
        "messages { ...page }",
        "messages { nodes { id } ... @include(if: false) { nodes { LARGE } } }",
        "messages { nodes { parent { LARGE } } }",
        "messages { nodes { id children { edges { node { ... on ChatMessage { LARGE } } } } } }",
        "runs { nodes { message { LARGE } } }",
    ],
)
async def test_what_is_asked_for_is_read_wherever_it_stands(
    client: GraphQLClient, talk: Conversation, statements: StatementRecorder, selection: str
) -> None:
    for column, asking in LARGE.items():
        operation = f"{{ sessions(first: 2) {{ nodes {{ {selection.replace('LARGE', asking)} }} }} }}"
        if "...page" in operation:
            operation += f" fragment page on ChatMessageConnection {{ nodes {{ {asking} }} }}"

        assert await _large(client, statements, operation) == [column]


async def test_two_selections_of_one_list_are_told_apart(client_as: ClientAs, statements: StatementRecorder) -> None:
    client = await client_as("reader")
    await conversation(client, 1)
    statements.clear()

    answer = await client.data(
        "{ sessions { nodes { bare: messages { nodes { id } } whole: messages { nodes { content } } } } }"
    )

    (session,) = answer["sessions"]["nodes"]
    assert [set(node) for node in session["bare"]["nodes"]] == [{"id"}] * len(session["bare"]["nodes"])
    assert all("content" in node for node in session["whole"]["nodes"])
    assert len(statements.sent) == 3


async def _large(client: GraphQLClient, statements: StatementRecorder, operation: str) -> list[str]:
    statements.clear()
    answer: Mapping[str, object] = await client.data(operation)
    assert answer
    return sorted(column for column in {*LARGE, *LARGE_OF_PROMPTS} if any(column in sql for sql in statements.sent))
