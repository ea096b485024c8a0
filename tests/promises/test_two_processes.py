"""Two processes over one database are one server: asked here, followed and cancelled there, ended in order."""

import asyncio
import signal
from contextlib import aclosing
from pathlib import Path

from tests.answers import SCRIPTED, ask, inconsistent, nothing_under_way
from tests.client import GraphQLClient
from tests.followers import HAPPENING, Kept, Way, subscribed
from tests.llm.provider_servers import FOREVER, ProviderServer, openai_answer
from tests.processes import two_servers

FOLLOWERS = 6
WRITERS = 16
MESSAGES_EACH = 6
EVENTS = 1 + WRITERS * MESSAGES_EACH
"""The session's creation, and one for each message."""


async def test_answer_is_followed_and_cancelled_on_another_process(
    tmp_path: Path, dsn: str, provider: ProviderServer
) -> None:
    provider.script(openai_answer("as far as it came").broken(5, by=FOREVER), openai_answer("the next one"))
    environment = {"DATABASE_URL": dsn, "COLLOQUY_COMPATIBLE_BASE_URL": provider.url}
    async with (
        two_servers(tmp_path, **environment) as (first, second),
        first.client() as asking,
        second.client() as cancelling,
    ):
        second.pause()
        asked = await ask(asking, "?", SCRIPTED)
        await provider.asked(times=1)
        second.go_on()
        kept = Kept(asked.run_id)
        while kept.text != "as far as it came":
            await kept.follow(await second.address(), events=1)

        payload = await cancelling.mutate("cancelRun", "message { content status }", {"runId": asked.run_id})
        await kept.follow(await second.address())
        await provider.quiet()

        assert payload["message"] == {"content": kept.text, "status": "CANCELLED"}
        assert (kept.kind, kept.text) == ("CompletionCancelled", "as far as it came")
        assert provider.left.is_set()
        following = Kept((await ask(asking, "and now?", SCRIPTED, sessionId=asked.session_id)).run_id)
        await following.follow(await second.address())
        assert (following.kind, following.text) == ("CompletionFinished", "the next one")
        await nothing_under_way(dsn)
    assert await inconsistent(dsn) == []


async def test_server_that_is_asked_to_end_leaves_every_answer_in_order(
    tmp_path: Path, dsn: str, provider: ProviderServer
) -> None:
    shown, silent = openai_answer("only the beginning of it").broken(3, by=FOREVER), openai_answer("").delayed(FOREVER)
    provider.script(shown, silent, openai_answer("begun anew, and whole"))
    short = " ".join(["word"] * 40)
    environment = {
        "DATABASE_URL": dsn, "COLLOQUY_COMPATIBLE_BASE_URL": provider.url, "COLLOQUY_SHUTDOWN_SECONDS": "5",
        "COLLOQUY_LOCAL_WORDS_PER_SECOND": "20",
    }  # fmt: skip
    async with two_servers(tmp_path, **environment) as (first, second), first.client() as client:
        address = await first.address()
        second.pause()
        begun, not_begun = [await ask_provider(client, provider, times) for times in (1, 2)]
        cut = Kept(begun)
        while cut.text != "only the beginning":
            await cut.follow(address, events=1)
        finishing, anew = Kept((await ask(client, short)).run_id), Kept(not_begun)
        await finishing.follow(address, events=2)
        second.go_on()

        first.process.send_signal(signal.SIGTERM)
        others = [await second.address()]
        await asyncio.gather(*(kept.follow_on([address, *others]) for kept in (cut, finishing, anew)))

        assert await first.ended() == 0
        assert (cut.kind, cut.text) == ("CompletionInterrupted", "only the beginning")
        assert (finishing.kind, finishing.text) == ("CompletionFinished", short)
        assert (anew.kind, anew.text) == ("CompletionFinished", "begun anew, and whole")
        await nothing_under_way(dsn)
    assert await inconsistent(dsn) == []


async def ask_provider(client: GraphQLClient, provider: ProviderServer, times: int) -> str:
    """The run of a new question, once the provider was asked so often."""
    asked = await ask(client, "?", SCRIPTED)
    await provider.asked(times)
    return asked.run_id


async def test_every_follower_hears_every_event_of_a_session_once_and_in_order(tmp_path: Path, dsn: str) -> None:
    async with (
        two_servers(tmp_path, DATABASE_URL=dsn) as servers,
        servers[0].client() as first,
        servers[1].client() as second,
    ):
        addresses = [await server.address() for server in servers]
        session_id = await first.create_session()
        followers = [
            asyncio.create_task(heard(session_id, addresses[number % 2 :] + addresses[: number % 2], number))
            for number in range(FOLLOWERS)
        ]
        writers = [write((first, second)[writer % 2], session_id) for writer in range(WRITERS)]
        await asyncio.gather(*writers)

        assert await asyncio.gather(*followers) == [list(range(1, EVENTS + 1))] * FOLLOWERS


async def write(client: GraphQLClient, session_id: str) -> None:
    for turn in range(MESSAGES_EACH):
        assert (await client.say(session_id, f"turn {turn}"))["success"]


async def heard(session_id: str, addresses: list[str], leaving_after: int) -> list[int]:
    """The numbers a client hears from the beginning to the last event; it comes again on the other process after each
    `leaving_after` events, in another way, and stays where that is 0."""
    numbers: list[int] = []
    turn = 0
    while len(numbers) < EVENTS:
        way = list(Way)[turn % len(Way)]
        after = numbers[-1] if numbers else 0
        variables = {"sessionId": session_id, "after": str(after)}
        told = subscribed(addresses[turn % 2], way, HAPPENING, variables)
        most = len(numbers) + leaving_after if leaving_after else EVENTS
        async with aclosing(told) as events:
            async for event in events:
                numbers.append(int(event["seq"]))
                if len(numbers) in (most, EVENTS):
                    break
        turn += 1
    return numbers
