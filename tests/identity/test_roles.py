"""The page of roles says what each may do: every mutation is refused exactly where its table says so."""

import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.core.actor import Actor, CorrelationId, Role
from app.db.database import Database
from app.identity.service import OpenDoor
from app.identity.values import USER_ROLES, ApiKeyId, ApiKeyScope
from tests.client import OPEN, Door, GraphQLClient, client_of
from tests.identity.keys import a_key
from tests.schema_walk import Ids, answer_of, document, mutation_fields, valid_arguments
from tests.worlds import ClientAs, conversation, ids_for

PAGE = Path(__file__).parents[2] / "docs" / "roles.md"
ROLES = (Role.MEMBER, Role.EDITOR, Role.REVIEWER, Role.ADMIN)

LAST = ("deleteMessage", "deleteAttachment", "deletePromptTemplate", "deleteProject", "deleteSession", "eraseUser")
"""What takes away what others need."""

TAKES_A_TURN = {"sendMessage", "regenerateMessage", "retryRun"}
"""What leaves its session with a run that nobody works: the next needs another."""

READ_ONLY = "this key only reads"


class Row(NamedTuple):
    """What the table says of a mutation."""

    roles: frozenset[Role]
    scope: ApiKeyScope


def table() -> dict[str, Row]:
    """The rows by mutation; one that is in two of them fails."""
    found: dict[str, Row] = {}
    for line in PAGE.read_text().splitlines():
        named, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != len(ROLES) + 1 or cells[-1] not in ApiKeyScope.__members__:
            continue
        assert set(cells[:-1]) <= {"yes", "no"}, line
        may = frozenset(role for role, cell in zip(ROLES, cells, strict=False) if cell == "yes")
        for mutation in re.findall(r"`(\w+)`", named):
            assert mutation not in found, mutation
            found[mutation] = Row(may, ApiKeyScope[cells[-1]])
    return found


TABLE = table()


class As(OpenDoor):
    """Lets everybody in with what the test gives them."""

    def __init__(self, roles: frozenset[Role], key_id: ApiKeyId | None = None, *, may_write: bool = True) -> None:
        self._roles, self._key_id, self._may_write = roles, key_id, may_write

    async def actor(self, headers: Mapping[str, str], correlation: CorrelationId) -> Actor:
        """The actor of the open door, with other rights."""
        actor = await super().actor(headers, correlation)
        return replace(actor, roles=self._roles, key_id=self._key_id, may_write=self._may_write)


def allowed(mutation: str, door: As) -> bool:
    """Whether the table lets an actor do it."""
    row = TABLE[mutation]
    if door._key_id is None:
        return bool(row.roles & door._roles)
    if not door._may_write:
        return False
    return row.scope is ApiKeyScope.WRITE or Role.ADMIN in door._roles


def test_every_mutation_is_in_the_table() -> None:
    assert TABLE.keys() == mutation_fields().keys()


async def asked(client: GraphQLClient, mutation: str, own: Ids) -> str | None:
    """The code of why a mutation is refused; None when it was done."""
    arguments = valid_arguments("mutation", mutation, own)
    answer = await client.answer(document("mutation", mutation, arguments, answer_of("mutation", mutation)), arguments)
    if "errors" in answer:
        [error] = answer["errors"]
        assert error["message"] == READ_ONLY, error
        return str(error["extensions"]["code"])
    error = answer["data"][mutation]["error"]
    return error and str(error["code"])


@pytest.mark.timeout(120)
async def test_each_role_and_each_key_may_do_what_the_table_says(
    client_as: ClientAs, database: Database, services: Any
) -> None:
    alice = await client_as("alice")
    own = await conversation(alice, mark="own")
    keys = {scope: (await a_key(database, "alice", scope))[0] for scope in ApiKeyScope}
    doors = {
        **{role.name: As(frozenset({role})) for role in ROLES},
        "a key to read": As(USER_ROLES, keys[ApiKeyScope.READ], may_write=False),
        "a key to write": As(USER_ROLES, keys[ApiKeyScope.WRITE]),
        "a key of an admin": As(frozenset(Role), keys[ApiKeyScope.ADMIN]),
    }
    wrong: list[tuple[str, str, str | None]] = []
    done: set[str] = set()

    async with AsyncExitStack() as stack:
        clients = {
            name: await stack.enter_async_context(client_of(database, services, "alice", Door(door, OPEN.shown)))
            for name, door in doors.items()
        }
        for mutation in [*sorted(mutation_fields().keys() - set(LAST)), *LAST]:
            talk = await conversation(alice, mark="another") if mutation in TAKES_A_TURN else own
            ids = await ids_for(alice, mutation, talk)
            for name, door in doors.items():
                may = allowed(mutation, door)
                code = await asked(clients[name], mutation, ids)
                if (code != "FORBIDDEN") is not may:
                    wrong.append((mutation, name, code))
                done |= {mutation} if code is None else set()

    assert wrong == []
    # Of these one is no more than not refused for the role: what the walk sends is no budget.
    assert mutation_fields().keys() - done == {"setBudget"}
