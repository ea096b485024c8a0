"""What a process that is killed had reserved of a budget comes back, and what it spent is counted."""

from pathlib import Path

from tests.answers import SCRIPTED, ask, inconsistent, nothing_under_way, rows_of
from tests.conversations import rows
from tests.followers import Kept
from tests.llm.provider_servers import FOREVER, ProviderServer, openai_answer
from tests.processes import serving, working

STANDING = "budgets { nodes { limitTokens spentTokens reservedTokens } }"


async def test_reservation_of_a_killed_worker_comes_back(tmp_path: Path, dsn: str, provider: ProviderServer) -> None:
    begun = openai_answer("only the beginning of it").broken(3, by=FOREVER)
    provider.script(begun, openai_answer("never").delayed(FOREVER), openai_answer("begun anew, and whole"))
    environment = {
        "DATABASE_URL": dsn, "COLLOQUY_COMPATIBLE_BASE_URL": provider.url, "COLLOQUY_JOB_LEASE_SECONDS": "1",
    }  # fmt: skip
    async with (
        serving(tmp_path, **environment) as server,
        server.client("system") as admin,
        server.client() as client,
    ):
        limit = {"scope": "TENANT", "period": "MONTH", "limitTokens": "10000"}
        assert (await admin.mutate("setBudget", "budget { id }", limit))["success"]
        shown = await ask(client, "?", SCRIPTED)
        kept = Kept(shown.run_id)
        while kept.text != "only the beginning":
            await kept.follow(await server.address(), events=1)
        silent = await ask(client, "?", SCRIPTED)
        await provider.asked(times=2)
        [held] = (await admin.data(f"{{ {STANDING} }}"))["budgets"]["nodes"]

        async with working(tmp_path, **environment):
            await server.kill()
            await nothing_under_way(dsn)

    # Two answers of at most 4,096 tokens, and the little that they read.
    assert 8_192 <= int(held["reservedTokens"]) < 8_300
    assert [(await rows_of(dsn, one))[0][0]["status"] for one in (shown, silent)] == ["interrupted", "completed"]
    [left] = await rows(dsn, "SELECT spent_tokens, reserved_tokens FROM budget_usage")
    [ledger] = await rows(dsn, "SELECT sum(input_tokens + output_tokens) AS tokens FROM usage_ledger")
    assert (left["spent_tokens"], left["reserved_tokens"]) == (ledger["tokens"], 0)
    assert left["spent_tokens"] > 0
    assert await rows(dsn, "SELECT * FROM budget_reservations") == []
    assert await inconsistent(dsn) == []
