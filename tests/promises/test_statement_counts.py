"""What a query costs does not depend on how many objects it finds: one statement per list, not per parent."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from graphql import (
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)

from tests.client import GraphQLClient
from tests.fakes import StatementRecorder
from tests.schema_walk import SCHEMA, is_connection, leaves, literal, node_of, query_fields, without_required
from tests.worlds import ClientAs, Conversation, add_call, conversation, live_run

DEEPEST = 3
MANY = 20


@dataclass(frozen=True, slots=True)
class Hop:
    """One field on a way into the graph, and the type of the objects it leads to."""

    name: str
    kind: GraphQLNamedType
    to: GraphQLObjectType


Way = tuple[Hop, ...]


def ways(kind: GraphQLNamedType, depth: int = DEEPEST) -> Iterator[Way]:
    """Every way from a type to objects; of an interface, to each of its types."""
    assert isinstance(kind, GraphQLObjectType)
    for name, field in kind.fields.items():
        found = get_named_type(field.type)
        if is_leaf_type(found):
            continue
        # Below the root the walk has no values to give: a list that cannot be asked for without is a gap to fill here.
        assert kind is SCHEMA.query_type or without_required(field), f"{kind.name}.{name} takes required arguments"
        node = node_of(found)
        for to in SCHEMA.get_possible_types(node) if is_abstract_type(node) else [node]:
            assert isinstance(to, GraphQLObjectType)
            hop = Hop(name, found, to)
            yield (hop,)
            if depth > 1:
                yield from ((hop, *rest) for rest in ways(to, depth - 1))


def selected(way: Way, through: str, last: str) -> str:
    """The selection of a way: lists `through` nodes or edges, of the last list `last`."""
    hop, *rest = way
    inner = f"{rest[0].name} {selected(tuple(rest), through, last)}" if rest else leaves(hop.to)
    if is_abstract_type(node_of(hop.kind)):
        return f"{{ ... on {hop.to.name} {{ {inner} }} }}"
    if not is_connection(hop.kind):
        return f"{{ {inner} }}"
    if not rest and last == "totalCount":
        return "{ totalCount }"
    if through == "edges":
        return f"{{ edges {{ cursor node {{ {inner} }} }} pageInfo {{ {leaves(SCHEMA.type_map['PageInfo'])} }} }}"
    return f"{{ nodes {{ {inner} }} }}"


def operations(way: Way, ids: dict[str, list[str]]) -> Iterator[str]:
    """The operations that go a way in a world with these ids: by nodes, by edges, and with the count of its end."""
    root = way[0]
    taken = {}
    for name, argument in query_fields()[root.name].args.items():
        if name in ("id", "ids"):
            taken[name] = ids[root.to.name][0] if name == "id" else ids[root.to.name]
        else:
            assert not str(argument.type).endswith("!") or argument.default_value is not None, f"{root.name}({name})"
    arguments = f"({', '.join(f'{name}: {literal(value)}' for name, value in taken.items())})" if taken else ""
    forms = {("nodes", "objects")}
    if any(is_connection(hop.kind) for hop in way):
        forms.add(("edges", "objects"))
    if is_connection(way[-1].kind):
        forms |= {("nodes", "totalCount"), ("edges", "totalCount")} if len(way) > 1 else {("nodes", "totalCount")}
    for through, last in sorted(forms):
        yield f"{{ {root.name}{arguments} {selected(way, through, last)} }}"


def ids_of(conversations: list[Conversation]) -> dict[str, list[str]]:
    """The ids of each type: the same kind of object of every conversation; of messages, one that a run wrote."""
    found = [{**each.ids, "ChatMessage": each.answers[0]} for each in conversations]
    return {name: [ids[name] for ids in found] for name in found[0]}


async def cost(client: GraphQLClient, statements: StatementRecorder, operation: str) -> tuple[int, str]:
    """How many statements an operation takes, and its answer."""
    statements.clear()
    answer = await client.data(operation)
    return len(statements.sent), json.dumps(answer)


@pytest.fixture
async def one(client_as: ClientAs) -> tuple[GraphQLClient, list[Conversation]]:
    """A user with one conversation of one chain."""
    client = await client_as("one")
    return client, [await answered(client)]


@pytest.fixture
async def many(client_as: ClientAs) -> tuple[GraphQLClient, list[Conversation]]:
    """A user with twenty conversations, the first of which has twenty chains."""
    client = await client_as("many")
    return client, [await answered(client, MANY if number == 0 else 2) for number in range(MANY)]


async def answered(client: GraphQLClient, chains: int = 1) -> Conversation:
    """A conversation in which a run goes on, and every message of an earlier one has a tool call and an answer."""
    talk = await conversation(client, chains)
    for message in talk.answers:
        await add_call(client, message, name="plain")
        await client.reply(talk.session, "plain", parentMessageId=message)
    await live_run(client, talk)
    return talk


async def test_every_list_costs_the_same_with_one_parent_and_with_twenty(
    one: tuple[GraphQLClient, list[Conversation]],
    many: tuple[GraphQLClient, list[Conversation]],
    statements: StatementRecorder,
) -> None:
    assert SCHEMA.query_type is not None
    differing: dict[str, tuple[int, int]] = {}
    seen: set[str] = set()

    for way in ways(SCHEMA.query_type):
        seen.add(".".join(hop.name for hop in way))
        few, lots = (operations(way, ids_of(conversations)) for _, conversations in (one, many))
        for small, large in zip(few, lots, strict=True):
            (cheap, _), (dear, _) = await cost(one[0], statements, small), await cost(many[0], statements, large)
            if cheap != dear:
                differing[small] = (cheap, dear)

    assert differing == {}
    assert {"sessions.messages.toolCalls", "nodes.children.session", "message.parent.children"} <= seen
    assert {"sessions.runs.message", "sessions.activeRun.promptMessage", "message.run.retryOf"} <= seen


async def test_twenty_sessions_with_messages_and_tool_calls_are_three_statements(
    many: tuple[GraphQLClient, list[Conversation]], statements: StatementRecorder
) -> None:
    count, answer = await cost(
        many[0], statements, "{ sessions { nodes { messages { nodes { content toolCalls { name } } } } } }"
    )

    assert count == 3
    # Of the first session a page: the question, twenty chains of five, and without the last of these.
    assert answer.count('"content"') == 100 + 19 * 14
    assert answer.count('"name"') == 79 + 19 * 8


async def test_a_count_is_only_taken_when_it_is_selected(
    many: tuple[GraphQLClient, list[Conversation]], statements: StatementRecorder
) -> None:
    bare, _ = await cost(many[0], statements, "{ sessions { nodes { id } } auditEvents { nodes { id } } }")
    counted, _ = await cost(many[0], statements, "{ sessions { totalCount } auditEvents { totalCount } }")

    assert (bare, counted) == (2, 4)
