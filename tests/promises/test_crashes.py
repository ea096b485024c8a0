"""A process that dies, or is held up beyond its lease, loses nothing that it showed and leaves no answer open."""

import asyncio
from pathlib import Path

import asyncpg

from tests.answers import SCRIPTED, Asked, ask, inconsistent, nothing_under_way, retried, rows_of, run_of
from tests.conversations import waiting_for_locks
from tests.followers import Kept
from tests.llm.provider_servers import FOREVER, ProviderServer, Wait, openai_answer
from tests.processes import serving, two_servers, working

LONG = " ".join(f"word-{number}🙂" for number in range(240))
PACE = {"COLLOQUY_LOCAL_WORDS_PER_SECOND": "80"}
QUICK = {"COLLOQUY_JOB_LEASE_SECONDS": "1", **PACE}


async def test_answer_of_a_killed_server_ends_with_all_that_was_shown_and_can_be_had_anew(
    tmp_path: Path, dsn: str
) -> None:
    async with serving(tmp_path, DATABASE_URL=dsn, **PACE) as first, first.client() as client:
        asked = await ask(client, LONG)
        kept = Kept(asked.run_id)
        await kept.follow(await first.address(), events=6)
        await first.kill()

    async with serving(tmp_path, DATABASE_URL=dsn, **PACE) as second, second.client() as client:
        address = await second.address()
        await kept.follow(address)
        assert kept.kind == "CompletionInterrupted"
        assert LONG.startswith(kept.text)
        assert len(kept.text) < len(LONG)
        run = await run_of(client, asked.run_id)
        assert (run["status"], run["error"], run["message"]["status"]) == (
            "INTERRUPTED", {"code": "INTERRUPTED", "retryable": True}, "FAILED",
        )  # fmt: skip
        await nothing_under_way(dsn)

        again = Kept(await retried(client, asked.run_id))
        await again.follow(address)
        assert (again.kind, again.text) == ("CompletionFinished", LONG)
    await nothing_under_way(dsn)
    assert await inconsistent(dsn) == []


async def test_worker_takes_over_from_a_killed_server(tmp_path: Path, dsn: str, provider: ProviderServer) -> None:
    begun = openai_answer("only the beginning of it", pause=Wait(0.05)).broken(6, by=FOREVER)
    not_begun = openai_answer("never").delayed(FOREVER)
    provider.script(begun, not_begun, openai_answer("begun anew, and whole"))
    environment = {"DATABASE_URL": dsn, "COLLOQUY_COMPATIBLE_BASE_URL": provider.url, **QUICK}
    async with serving(tmp_path, **environment) as server, server.client() as client:
        shown, silent = [await _worked(provider, await ask(client, "?", SCRIPTED), n) for n in (1, 2)]
        kept = Kept(shown.run_id)
        while kept.text != "only the beginning":
            await kept.follow(await server.address(), events=1)

        async with working(tmp_path, **environment):
            await server.kill()
            await nothing_under_way(dsn)

    [run], [message], *_ = await rows_of(dsn, shown)
    assert (run["status"], run["generation"], message["content"]) == ("interrupted", 1, "only the beginning")
    [run], [message], *_ = await rows_of(dsn, silent)
    assert (run["status"], run["generation"], message["content"]) == ("completed", 2, "begun anew, and whole")
    assert len(provider.requests) == 3
    assert await inconsistent(dsn) == []


async def test_server_paused_beyond_its_lease_writes_nothing_more_to_what_others_ended(
    tmp_path: Path, dsn: str
) -> None:
    async with two_servers(tmp_path, DATABASE_URL=dsn, **QUICK) as (first, second), first.client() as client:
        second.pause()
        asked = await ask(client, LONG)
        kept = Kept(asked.run_id)
        await kept.follow(await first.address(), events=5)

        first.pause()
        second.go_on()
        await kept.follow(await second.address())
        assert kept.kind == "CompletionInterrupted"
        assert LONG.startswith(kept.text)
        taken = await rows_of(dsn, asked)
        first.go_on()
        await first.says("run_ended_elsewhere", times=1)
        await nothing_under_way(dsn)

        # What is asked now is worked by the one that was paused.
        second.pause()
        later = Kept((await ask(client, "still there?")).run_id)
        await later.follow(await first.address())
        second.go_on()
        assert (later.kind, later.text) == ("CompletionFinished", "still there?")
        assert await rows_of(dsn, asked) == taken
        await nothing_under_way(dsn)
    assert await inconsistent(dsn) == []


async def test_server_paused_before_the_first_word_leaves_the_answer_to_who_began_it_anew(
    tmp_path: Path, dsn: str, provider: ProviderServer
) -> None:
    late, whole = openai_answer("too late").delayed(Wait(2.0)), openai_answer("begun anew, and whole")
    provider.script(late, whole)
    environment = {"DATABASE_URL": dsn, "COLLOQUY_COMPATIBLE_BASE_URL": provider.url, **QUICK}
    async with two_servers(tmp_path, **environment) as (first, second), first.client() as client:
        second.pause()
        asked = await ask(client, "?", SCRIPTED)
        await provider.asked(times=1)

        first.pause()
        second.go_on()
        kept = Kept(asked.run_id)
        await kept.follow(await second.address())
        assert (kept.kind, kept.text) == ("CompletionFinished", "begun anew, and whole")
        taken = await rows_of(dsn, asked)
        await provider.quiet()
        first.go_on()
        await first.says("run_ended_elsewhere", times=1)
        await nothing_under_way(dsn)

        assert await rows_of(dsn, asked) == taken
    assert await inconsistent(dsn) == []


async def test_server_paused_in_the_middle_of_a_transaction_does_not_keep_its_locks(
    tmp_path: Path, dsn: str, provider: ProviderServer
) -> None:
    provider.script(openai_answer("").delayed(FOREVER), openai_answer("begun anew, and whole"))
    environment = {"DATABASE_URL": dsn, "COLLOQUY_COMPATIBLE_BASE_URL": provider.url, **QUICK}
    async with two_servers(tmp_path, **environment) as (first, second), first.client() as client:
        second.pause()
        asked = await ask(client, "?", SCRIPTED)
        await provider.asked(times=1)
        blocker = await asyncpg.connect(dsn)
        await blocker.execute("BEGIN; SELECT 1 FROM runs FOR UPDATE")
        cancelling = asyncio.create_task(client.mutate("cancelRun", "run { id }", {"runId": asked.run_id}))
        # By now it has locked the session, and is in the middle of its transaction.
        await waiting_for_locks(dsn, 1)

        first.pause()
        await blocker.close()
        second.go_on()
        kept = Kept(asked.run_id)
        await kept.follow(await second.address())

        assert (kept.kind, kept.text) == ("CompletionFinished", "begun anew, and whole")
        first.go_on()
        assert (await cancelling)["success"] is False
        await nothing_under_way(dsn)
    assert await inconsistent(dsn) == []


async def _worked(provider: ProviderServer, asked: Asked, times: int) -> Asked:
    """Once the provider was asked so often."""
    await provider.asked(times)
    return asked
