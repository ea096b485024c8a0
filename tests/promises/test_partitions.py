"""Every table of tenants can be in parts by its tenant, as Citus distributes it: nothing that is done needs another."""

import asyncio
import re
from contextlib import AsyncExitStack
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, ForeignKeyConstraint

from app.container import open_container
from app.core.settings import Settings
from app.db import migrate
from app.db.database import Database
from app.tables import metadata
from tests.answers import inconsistent, nothing_under_way
from tests.client import client_of
from tests.conftest import an_actor
from tests.conversations import broken_rules, rows
from tests.db.partitioned import PARTS, partition
from tests.flows import converse, plan, said_in
from tests.migrations import with_sync
from tests.promises.deeds import DEEDS
from tests.promises.project_deeds import PROJECT_DEEDS
from tests.runs.conftest import Process
from tests.worlds import conversation

PART = re.compile(r"_[0-3]\Z")


async def test_everything_is_done_where_all_tables_are_in_parts(dsn: str, database: Database, services: Any) -> None:
    async with client_of(database, services, "alice") as client:
        before = await conversation(client)
        names = await partition(dsn)
        assert names == sorted(name for name, table in metadata.tables.items() if "tenant_id" in table.columns)
        # What the old tables were read by is prepared still.
        await database.close()

    settings = Settings(database_url=dsn, local_words_per_second=0, shutdown_seconds=1)
    async with (
        open_container(settings, background=False) as container,
        client_of(container.database, container.services, "alice") as client,
    ):
        assert "plain" in await said_in(client, before.session)
        for name, deed in {**DEEDS, **PROJECT_DEEDS}.items():
            do = await deed.ready(client)
            assert [(await do(client)).code for _ in range(2)] == [None, None], name
        await conversation(client, mark="after")
    assert await broken_rules(dsn) == []


async def test_tenants_work_side_by_side_in_parts_of_their_own(dsn: str) -> None:
    await partition(dsn)
    tenants = [f"tenant{number}" for number in range(6)]
    settings = Settings(database_url=dsn, local_words_per_second=0, shutdown_seconds=1)

    async with open_container(settings) as container, AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(client_of(container.database, container.services, f"alice@{tenant}"))
            for tenant in tenants
        ]
        await asyncio.gather(*(converse(client, "same name") for client in clients))
        process = Process(container.database, dict(container.services))
        assert await plan(process, dsn, an_actor("alice", tenants[0])) == {}
        taken = {"name": "greeting same name", "content": "Hello!"}
        again = await clients[0].mutate("createPromptTemplate", "template { id }", taken)
        await nothing_under_way(dsn)

    # Refused by a key of one part, and known by the key of the whole.
    assert again["error"]["code"] == "ALREADY_EXISTS"
    assert await inconsistent(dsn) == []
    assert await migrate.current(dsn) == migrate.head()
    assert await with_sync(dsn, _differences) == []
    held = "SELECT count(DISTINCT tableoid) AS parts, count(DISTINCT tenant_id) AS tenants FROM events"
    [(parts, found)] = await rows(dsn, held)
    assert (1 < parts <= PARTS, found) == (True, len(tenants))


def _differences(connection: Connection) -> list[Any]:
    """What Alembic finds different from the tables, the parts aside."""

    def whole(name: str | None, kind: str, parents: object) -> bool:
        return migrate.is_ours(name, kind, parents) and not (kind == "table" and PART.search(name or ""))

    compared = {"compare_server_default": True, "compare_type": True, "include_name": whole}
    found = compare_metadata(MigrationContext.configure(connection, opts=compared), metadata)
    # PostgreSQL keeps a foreign key to a table in parts once more for each part.
    return [one for one in found if not (one[0] == "remove_fk" and PART.search(_referred(one[1])))]


def _referred(key: ForeignKeyConstraint) -> str:
    return key.elements[0].target_fullname.partition(".")[0]
