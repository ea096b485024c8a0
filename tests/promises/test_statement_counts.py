"""What a query costs does not depend on how many objects it finds: one statement per list, not per parent."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.client import GraphQLClient
from tests.conftest import cloned
from tests.fakes import StatementRecorder
from tests.filled import Filled, filled
from tests.uploads import FileToSend
from tests.ways import operations, ways
from tests.worlds import ClientAs, Conversation, add_call, add_execution, add_file, conversation, live_run

MANY = 20


def ids_of(conversations: list[Conversation]) -> dict[str, list[str]]:
    """The ids of each type: the same kind of object of every conversation; of messages, one that a run wrote."""
    found = [{**each.ids, "ChatMessage": each.answers[0]} for each in conversations]
    return {name: [ids[name] for ids in found] for name in found[0]}


async def cost(client: GraphQLClient, statements: StatementRecorder, operation: str) -> tuple[int, str]:
    """How many statements an operation takes, and its answer."""
    statements.clear()
    answer = await client.data(operation)
    return len(statements.sent), json.dumps(answer)


@pytest.fixture(scope="module")
def world(cluster: str, template: str, built: Any) -> Filled[tuple[list[Conversation], list[Conversation]]]:
    """The conversations of two users: one has one of two chains, so that messages have others beside them.

    The other has twenty, the first of which has twenty chains.
    """

    async def fill(client_as: ClientAs) -> tuple[list[Conversation], list[Conversation]]:
        few, lots = await client_as("one"), await client_as("many")
        return [await answered(few, 2)], [await answered(lots, MANY if number == 0 else 2) for number in range(MANY)]

    return filled(cluster, template, built, fill)


@pytest.fixture
async def dsn(cluster: str, world: Filled[Any]) -> AsyncIterator[str]:
    """The address of a database of the test's own, which holds them."""
    async with cloned(cluster, world.template) as address:
        yield address


@pytest.fixture
async def one(client_as: ClientAs, world: Filled[Any]) -> tuple[GraphQLClient, list[Conversation]]:
    """The user with one conversation."""
    return await client_as("one"), world.told[0]


@pytest.fixture
async def many(client_as: ClientAs, world: Filled[Any]) -> tuple[GraphQLClient, list[Conversation]]:
    """The user with twenty."""
    return await client_as("many"), world.told[1]


async def answered(client: GraphQLClient, chains: int = 1) -> Conversation:
    """A conversation in which a run goes on, and every message of an earlier one has a call, a file, an answer."""
    talk = await conversation(client, chains)
    for message in talk.answers:
        await add_execution(client, await add_call(client, message, name="plain"))
        await add_file(client, message, FileToSend())
        await client.reply(talk.session, "plain", parentMessageId=message)
    await live_run(client, talk)
    return talk


@pytest.mark.timeout(300)
async def test_every_list_costs_the_same_with_one_parent_and_with_twenty(
    one: tuple[GraphQLClient, list[Conversation]],
    many: tuple[GraphQLClient, list[Conversation]],
    statements: StatementRecorder,
) -> None:
    differing: dict[str, tuple[int, int]] = {}
    seen: set[str] = set()

    for way in ways():
        seen.add(".".join(hop.name for hop in way[-2:]))
        few, lots = (operations(way, ids_of(conversations)) for _, conversations in (one, many))
        for small, large in zip(few, lots, strict=True):
            (cheap, _), (dear, _) = await cost(one[0], statements, small), await cost(many[0], statements, large)
            if cheap != dear:
                differing[small] = (cheap, dear)

    assert differing == {}
    assert {"messages.toolCalls", "toolCalls.message", "children.session", "parent.children"} <= seen
    assert {"runs.message", "activeRun.promptMessage", "run.retryOf", "nodes.children"} <= seen
    assert {"activePath.siblings", "activeLeaf.siblings", "siblings.previous"} <= seen
    assert {"messages.attachments", "attachments.message"} <= seen
    assert {"toolExecutions.toolCall", "pendingApprovals.message", "toolCalls.execution"} <= seen


async def test_what_lists_cost_is_known(
    one: tuple[GraphQLClient, list[Conversation]],
    many: tuple[GraphQLClient, list[Conversation]],
    statements: StatementRecorder,
    subtests: pytest.Subtests,
) -> None:
    with subtests.test("sessions with messages and tool calls are three statements"):
        count, answer = await cost(
            many[0], statements, "{ sessions { nodes { messages { nodes { content toolCalls { name } } } } } }"
        )

        assert count == 3
        # Of the first session a page: the question, twenty chains of five, and without the last of these.
        assert answer.count('"content"') == 100 + 19 * 14
        assert answer.count('"name"') == 79 + 19 * 8

    with subtests.test("the page a front end opens with is five statements"):
        page = """{ sessions(first: 20) { nodes { title messages(last: 20) { nodes {
          content attachments { fileName size url } toolCalls { name arguments result execution { status approved } }
        } } } } }"""

        (cheap, _), (dear, answer) = await cost(one[0], statements, page), await cost(many[0], statements, page)

        # Sessions, their messages, their calls, what was done about these, and their files.
        assert (cheap, dear) == (5, 5)
        assert not [sql for sql in statements.sent if "message_attachments.data" in sql or "executions.output" in sql]
        assert min(answer.count(f'"{name}"') for name in ("fileName", "arguments", "approved")) > 100

    with subtests.test("a count is only taken when it is selected"):
        bare, _ = await cost(many[0], statements, "{ sessions { nodes { id } } auditEvents { nodes { id } } }")
        counted, _ = await cost(many[0], statements, "{ sessions { totalCount } auditEvents { totalCount } }")

        assert (bare, counted) == (2, 4)
