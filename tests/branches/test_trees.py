"""Whatever is done to a tree of messages, the graph shows what a plain model of it says."""

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.branches import pipeline as branches
from app.branches.values import ForkRequest
from app.core.actor import Actor
from app.db.database import Database
from app.messages import service as messages
from app.messages.errors import MessageDeleted
from app.messages.pipeline import MessagePipeline
from app.messages.values import Draft, Edit, MessageId, MessageRole
from app.sessions.values import SessionId
from tests.branches.trees import of_session, plant
from tests.client import GraphQLClient
from tests.conversations import new_session, rows

KINDS = ("append", "append", "answer", "regenerate", "edit", "delete", "choose", "fork")

SHOWN = """query ($id: ID!, $after: String) { session(id: $id) { messageCount activeLeaf { sequenceNumber }
  messages(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { sequenceNumber deletedAt
    parent { sequenceNumber } siblings { index count previous { sequenceNumber } next { sequenceNumber } }
    children(last: 100) { totalCount nodes { sequenceNumber } } } } } }"""
PATH = """query ($id: ID!, $before: String) { session(id: $id) { activePath(last: 100, before: $before) {
  totalCount pageInfo { hasPreviousPage startCursor } nodes { sequenceNumber } } } }"""


@dataclass
class Tree:
    """What a session should hold: of each message, by its number, the number of the one it answers."""

    parents: list[int | None]
    deleted: set[int] = field(default_factory=set)
    leaf: int | None = None

    def add(self, parent: int | None) -> None:
        """One more, which is the leaf."""
        self.parents.append(parent)
        self.leaf = len(self.parents)

    def beside(self, number: int | None) -> list[int]:
        """The answers to a message, or the first messages of all."""
        return [at for at, parent in enumerate(self.parents, 1) if parent == number]

    def newest_below(self, number: int) -> int:
        """Where the newest answers lead."""
        while below := self.beside(number):
            number = below[-1]
        return number

    def path(self, number: int | None) -> list[int]:
        """What leads to a message."""
        found: list[int] = []
        while number is not None:
            found.append(number)
            number = self.parents[number - 1]
        return found[::-1]

    def fork(self, number: int | None) -> "Tree":
        """What leads to a message, as a session of its own."""
        path = self.path(number)
        gone = {at for at, original in enumerate(path, 1) if original in self.deleted}
        return Tree([at or None for at in range(len(path))], gone, len(path) or None)

    def message(self, number: int) -> dict[str, Any]:
        """A message as the graph should show it."""
        parent = self.parents[number - 1]
        beside, below = self.beside(parent), self.beside(number)
        index = beside.index(number)
        return {
            "sequenceNumber": number,
            "deleted": number in self.deleted,
            "parent": parent,
            "siblings": {
                "index": index + 1,
                "count": len(beside),
                "previous": beside[index - 1] if index else None,
                "next": beside[index + 1] if index + 1 < len(beside) else None,
            },
            "children": {"totalCount": len(below), "nodes": below[-100:]},
        }


@dataclass(frozen=True)
class Garden:
    """Sessions beside their models, and what can be done to both."""

    database: Database
    pipeline: MessagePipeline
    actor: Actor
    dsn: str
    trees: list[tuple[SessionId, Tree, list[UUID]]] = field(default_factory=list)

    async def plant(self, parents: list[int | None]) -> None:
        """A session with a tree."""
        session = await new_session(self.database, self.actor)
        ids = await plant(self.dsn, self.actor, session, parents) if parents else []
        self.trees.append((session, Tree(list(parents), leaf=len(parents) or None), ids))

    async def do(self, kind: str, which: int, where: int) -> None:
        """One action on one tree, at one of its messages; only an append needs none."""
        session, tree, ids = self.trees[which % len(self.trees)]
        if not ids:
            return await self._append(session, tree, ids, Draft(session, MessageRole.USER, kind), None)
        number = where % len(ids) + 1
        at, parent = MessageId(ids[number - 1]), tree.parents[number - 1]
        draft = Draft(session, MessageRole.ASSISTANT if where % 2 else MessageRole.USER, kind)
        match kind:
            case "append":
                await self._append(session, tree, ids, draft, tree.leaf)
            case "answer":
                await self._append(session, tree, ids, replace(draft, parent_message_id=at), number)
            case "regenerate" if parent is not None:
                beside = replace(draft, parent_message_id=MessageId(ids[parent - 1]))
                await self._append(session, tree, ids, beside, parent)
            case "edit":
                await self._edit(tree, ids, number)
            case "delete":
                async with self.database.single_statement() as uow:
                    await messages.delete(uow, self.actor, at, None)
                tree.deleted.add(number)
            case "choose":
                await branches.set_leaf(self.database, self.actor, session, at, None)
                tree.leaf = tree.newest_below(number)
            case "fork":
                await self._fork(session, tree, number if where % 3 else None, at if where % 3 else None)
        return None

    async def _append(self, session: SessionId, tree: Tree, ids: list[UUID], draft: Draft, parent: int | None) -> None:
        ids.append((await self.pipeline.persist(self.database, self.actor, draft, None)).message.id)
        tree.add(parent)

    async def _edit(self, tree: Tree, ids: list[UUID], number: int) -> None:
        editing = self.pipeline.edit(self.database, self.actor, Edit(MessageId(ids[number - 1]), "edit"), None)
        if number in tree.deleted:
            with pytest.raises(MessageDeleted):
                await editing
            return
        ids.append((await editing).message.id)
        tree.add(tree.parents[number - 1])

    async def _fork(self, session: SessionId, tree: Tree, number: int | None, at: MessageId | None) -> None:
        outcome = await branches.fork(self.database, self.actor, ForkRequest(session, at), None)
        assert outcome.session
        fork = SessionId(outcome.session.id)
        copies = await rows(
            self.dsn, "SELECT id FROM chat_messages WHERE session_id = $1 ORDER BY sequence_number", fork
        )
        self.trees.append((fork, tree.fork(tree.leaf if number is None else number), [row["id"] for row in copies]))


def plain(shown: dict[str, Any]) -> dict[str, Any]:
    """A message of the graph as the model shows it."""

    def number(message: dict[str, Any] | None) -> int | None:
        return None if message is None else int(message["sequenceNumber"])

    beside, below = shown["siblings"], shown["children"]
    return {
        "sequenceNumber": shown["sequenceNumber"],
        "deleted": shown["deletedAt"] is not None,
        "parent": number(shown["parent"]),
        "siblings": {**beside, "previous": number(beside["previous"]), "next": number(beside["next"])},
        "children": {**below, "nodes": [number(node) for node in below["nodes"]]},
    }


async def agrees(client: GraphQLClient, session: SessionId, tree: Tree) -> None:
    """The graph shows the session as its model is."""
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        data = await client.data(SHOWN, {"id": of_session(session), "after": page["endCursor"]})
        page = data["session"]["messages"]["pageInfo"]
        found += [plain(node) for node in data["session"]["messages"]["nodes"]]
    assert found == [tree.message(number) for number in range(1, len(tree.parents) + 1)]
    assert data["session"]["messageCount"] == len(tree.parents)
    assert data["session"]["activeLeaf"] == (tree.leaf and {"sequenceNumber": tree.leaf})
    await shows_path(client, session, tree.path(tree.leaf))


async def shows_path(client: GraphQLClient, session: SessionId, expected: list[int]) -> None:
    """The active path is as expected, read from its end."""
    pages: list[list[int]] = []
    before: str | None = None
    while before is not None or not pages:
        data = await client.data(PATH, {"id": of_session(session), "before": before})
        path = data["session"]["activePath"]
        assert path["totalCount"] == len(expected)
        pages.append([node["sequenceNumber"] for node in path["nodes"]])
        before = path["pageInfo"]["startCursor"] if path["pageInfo"]["hasPreviousPage"] else None
    assert [number for page in reversed(pages) for number in page] == expected


@st.composite
def planted(draw: st.DrawFn) -> list[int | None]:
    """A tree of up to forty messages: each answers an earlier one, or none."""
    size = draw(st.integers(0, 40))
    return [draw(st.integers(0, at)) or None for at in range(size)]


actions = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 9), st.integers(0, 99)), min_size=1, max_size=25)


# The example database and random seeds are left out: a failure is the same for everybody.
@settings(
    max_examples=25, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(parents=planted(), done=actions)
async def test_the_graph_shows_the_model_after_anything(
    database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str, client: GraphQLClient,
    parents: list[int | None], done: list[tuple[str, int, int]],
) -> None:  # fmt: skip
    garden = Garden(database, pipeline, actor, dsn)
    await garden.plant(parents)

    for kind, which, where in done:
        await garden.do(kind, which, where)

    for session, tree, _ in garden.trees:
        await agrees(client, session, tree)


@pytest.mark.parametrize("near", [3, 900], ids=["deep", "bushy"])
async def test_a_thousand_messages_are_shown_as_the_model_says(
    database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str, client: GraphQLClient, near: int
) -> None:
    random = Random(near)
    garden = Garden(database, pipeline, actor, dsn)
    await garden.plant([None if at == 0 else random.randint(max(0, at - near), at) or None for at in range(960)])

    for _ in range(60):
        await garden.do(random.choice(KINDS), random.choice([0, 0, 0, 1, 2]), random.randrange(1_000))

    for session, tree, _ in garden.trees:
        await agrees(client, session, tree)
