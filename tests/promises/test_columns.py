"""Rows have what was asked for, and no more: each field alone gives what it gives among all others."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from graphql import GraphQLField, GraphQLNamedType, GraphQLObjectType, get_named_type, is_leaf_type

from app.messages.loaders import MESSAGE_COLUMNS
from app.sessions.loaders import SESSION_COLUMNS
from app.tools.loaders import CALL_COLUMNS
from benchmarks.nested_page import QUERY
from tests.client import GraphQLClient
from tests.fakes import StatementRecorder
from tests.schema_walk import is_connection, leaves
from tests.ways import ASKED_WITH, Way, rooted, selected, ways
from tests.worlds import ClientAs, Conversation, conversation

ON_DEMAND = {
    "ChatSession", "ChatMessage", "ToolCall", "PromptTemplate", "PromptTemplateVersion", "Project", "Story",
    "RequirementsAnalysis", "ProjectPlanning", "StoryGeneration", "PromptGeneration",
}  # fmt: skip
"""Types whose rows have columns on demand."""


@pytest.fixture
async def talk(client: GraphQLClient) -> Conversation:
    """A conversation with answers and tool calls, and a project."""
    return await conversation(client, 1)


@pytest.mark.timeout(300)
async def test_every_field_alone_gives_what_it_gives_among_all(client: GraphQLClient, talk: Conversation) -> None:
    ids = {name: [found] for name, found in talk.ids.items()}
    different: list[str] = []
    met: set[str] = set()

    for way in _to_rows_with_columns_on_demand():
        fields = way[-1].to.fields
        among_all = await _objects(client, way, ids, list(fields))
        met |= {way[-1].to.name} if among_all else set()
        for name in fields:
            alone = await _objects(client, way, ids, [name])
            if alone != [{name: found[name]} for found in among_all]:
                different.append(f"{'.'.join(hop.name for hop in way)}.{name}")

    assert different == []
    assert met == ON_DEMAND


async def test_lists_read_no_column_that_nobody_asked_for(
    client: GraphQLClient, talk: Conversation, statements: StatementRecorder
) -> None:
    statements.clear()

    await client.data("{ sessions { nodes { id messages { nodes { id toolCalls { id } } } } } }")

    # The list of sessions is in the order of its moments.
    _none_of(statements.sent[0], "chat_sessions", SESSION_COLUMNS.whole - {"updated_at"})
    _none_of(statements.sent[1], "chat_messages", MESSAGE_COLUMNS.whole)
    _none_of(statements.sent[2], "tool_calls", CALL_COLUMNS.whole)
    assert len(statements.sent) == 3


@pytest.mark.parametrize(
    "asking",
    [
        "first: errorCode",
        "... { errorCode }",
        "... on ChatMessage { ... on Node { ... on ChatMessage { errorCode } } }",
        "...some",
        "errorCode @include(if: true)",
        "... @skip(if: false) { errorCode }",
        "errorCode @skip(if: true)",
    ],
)
@pytest.mark.parametrize("through", ["nodes { id ASKING }", "edges { node { ASKING } }", "... { nodes { ASKING } }"])
async def test_what_is_asked_for_is_seen_however_it_is_written(
    client: GraphQLClient, talk: Conversation, statements: StatementRecorder, asking: str, through: str
) -> None:
    operation = f"{{ sessions {{ nodes {{ messages {{ {through.replace('ASKING', asking)} }} }} }} }}"
    if asking == "...some":
        operation += " fragment some on ChatMessage { errorCode }"
    statements.clear()

    await client.data(operation)

    assert "chat_messages.error_code" in statements.sent[1]
    _none_of(statements.sent[1], "chat_messages", MESSAGE_COLUMNS.whole - {"error_code"})


async def test_lists_that_differ_in_short_columns_share_a_statement(
    client_as: ClientAs, statements: StatementRecorder
) -> None:
    client = await client_as("reader")
    await conversation(client, 1)
    statements.clear()

    answer = await client.data(
        "{ sessions { nodes { bare: messages { nodes { id } } dated: messages { nodes { id createdAt } }"
        " long: messages { nodes { id updatedAt content } } activeLeaf { id } } } }"
    )

    (session,) = answer["sessions"]["nodes"]
    bare = [node["id"] for node in session["bare"]["nodes"]]
    assert len(set(bare)) == len(bare) > 3
    assert [node["id"] for node in session["dated"]["nodes"]] == bare
    assert [node["id"] for node in session["long"]["nodes"]] == bare
    # Sessions; messages with what they say, and without; the leaf.
    assert len(statements.sent) == 4
    assert sum("chat_messages.content" in sql for sql in statements.sent) == 1


async def test_page_of_sessions_messages_and_calls_takes_three_statements(
    client: GraphQLClient, talk: Conversation, statements: StatementRecorder
) -> None:
    statements.clear()

    answer = await client.data(QUERY)

    assert any(node["toolCalls"] for node in answer["sessions"]["nodes"][0]["messages"]["nodes"])
    assert len(statements.sent) == 3


def _to_rows_with_columns_on_demand() -> Iterator[Way]:
    """By each field that leads to such rows, wherever it stands: fields of one name ask the same loader."""
    gone: set[tuple[str, str]] = set()
    for way in ways():
        step = (way[-1].name, way[-1].to.name)
        if step[1] in ON_DEMAND and step not in gone:
            gone.add(step)
            yield way


async def _objects(
    client: GraphQLClient, way: Way, ids: Mapping[str, list[str]], names: list[str]
) -> list[Mapping[str, Any]]:
    def wanted(kind: GraphQLNamedType) -> str:
        assert isinstance(kind, GraphQLObjectType)
        return " ".join(_asked(kind, name) for name in names)

    answer = await client.data(rooted(way, ids, selected(way, "nodes", "objects", wanted)))
    found: list[Any] = [answer]
    for hop in way:
        found = [step for each in found for step in _nodes(each.get(hop.name.partition("(")[0]))]
    # An object of another type, where a way leads through an interface, has none of the fields.
    return [each for each in found if each]


def _nodes(value: Any) -> list[Any]:
    if isinstance(value, dict) and "nodes" in value:
        value = value["nodes"]
    return [each for each in value if each is not None] if isinstance(value, list) else [] if value is None else [value]


def _asked(kind: GraphQLObjectType, name: str) -> str:
    """A field as it is asked for alone: of objects with ids no more than these, of others all they tell."""
    field: GraphQLField = kind.fields[name]
    found = get_named_type(field.type)
    if is_leaf_type(found):
        return name
    if is_connection(found):
        return f"{name}(first: 3) {{ nodes {{ __typename }} }}"
    inner = "id" if "id" in getattr(found, "fields", {}) else leaves(found)
    return f"{name}{ASKED_WITH.get(f'{kind.name}.{name}', '')} {{ {inner} }}"


def _none_of(sql: str, table: str, columns: frozenset[str]) -> None:
    # Whose rows they are, and that a session is of no project, are conditions of every list.
    selected = columns - {"tenant_id", "project_id"}
    assert [column for column in sorted(selected) if re.search(rf"\b{table}\.{column}\b", sql)] == []
