"""Operations that take too long are cancelled, with their statements."""

from typing import Any

import asyncpg
import pytest

from app.core.settings import SettingsError, load_settings
from app.db.database import Database
from tests.graph.wire import wire

SAY = 'mutation { mumble(input: { text: "hello" }) { said } }'
ASLEEP = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep%' " \
    "AND state <> 'idle' AND pid <> pg_backend_pid()"  # fmt: skip


async def test_what_takes_too_long_is_cancelled_and_its_connection_goes_on(database: Database, dsn: str) -> None:
    # Long enough for what is not to be cancelled, on a busy machine too.
    limits: dict[str, Any] = {"execute_wait_seconds": 0.1, "operation_timeout_seconds": 2}
    watching = await asyncpg.connect(dsn)
    async with wire(database=database, **limits) as served, served.http() as client, served.socket() as socket:
        for query, hint in (
            ("{ me nap(seconds: 600) }", "less at once"),
            ("{ nap(seconds: 600, loaded: true) }", "less at once"),
            (SAY, "same clientKey"),
        ):
            response = await client.post("/graphql", json={"query": query})

            (error,) = response.json()["errors"]
            assert (response.status_code, response.json()["data"]) == (200, None)
            assert (error["extensions"]["code"], error["extensions"]["retryable"]) == ("LIMIT_EXCEEDED", True)
            assert error["extensions"]["details"] == {"limit": "seconds", "allowed": 2}
            assert hint in error["extensions"]["hint"]
            assert await watching.fetchval(ASLEEP) == 0

        await socket.subscribe("a", "{ nap(seconds: 600) }")
        heard = await socket.hear_all("a")
        assert [message["type"] for message in heard] == ["next", "complete"]
        assert heard[0]["payload"]["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"

        # Nothing is left of them: the same connections serve what comes next, outside of any transaction.
        assert (await client.post("/graphql", json={"query": "{ nap(seconds: 0) }"})).json() == {"data": {"nap": 1}}
        states = await watching.fetch("SELECT DISTINCT state FROM pg_stat_activity WHERE datname = current_database() "
                                      "AND pid <> pg_backend_pid() AND backend_type = 'client backend'")  # fmt: skip
        assert [row["state"] for row in states] == ["idle"]

        # What is followed goes on for as long as its client stays.
        await socket.subscribe("b", "subscription { count(to: 3, pause: 0.8) }")
        assert len(await socket.hear_all("b")) == 4
    await watching.close()


def test_it_must_be_longer_than_what_an_operation_waits_by_design() -> None:
    with pytest.raises(SettingsError, match="COLLOQUY_OPERATION_TIMEOUT_SECONDS=60 must be more than COLLOQUY_EXECUTE"):
        load_settings(operation_timeout_seconds=60)
    assert load_settings(operation_timeout_seconds=60.5).operation_timeout_seconds == 60.5
