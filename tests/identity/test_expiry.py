"""A token that ends while an answer comes: so does its connection, and who comes with a new one goes on from there."""

import asyncio
import threading
import time
from typing import Any

from websockets.exceptions import ConnectionClosed

from tests.conftest import an_actor
from tests.followers import Kept, Lost, Way
from tests.identity.credentials import TOKENS, token
from tests.llm.provider_servers import ProviderServer
from tests.runs.conftest import a_process_asking
from tests.runs.edge import edge
from tests.runs.scenes import ask, held_back, is_running

TEXT = "An answer that is longer than the life of what let its reader in."

SHORT_SECONDS = 3
"""Of a token: long enough to come in with it, on a machine that is busy."""


def alices(lasts_seconds: int = 3600) -> str:
    """A token of alice for so long; they count whole seconds."""
    return token(sub="alice", org="default", exp=int(time.time()) + lasts_seconds)


async def test_a_stream_ends_with_its_token_and_goes_on_with_the_next(dsn: str) -> None:
    gate = threading.Event()
    with ProviderServer() as provider:
        provider.script(held_back(TEXT, gate))
        async with a_process_asking(dsn, provider) as process, edge(process, TOKENS.authenticator) as wire:
            run = await ask(process, an_actor("alice"))
            readers: dict[Way, Kept] = {way: Kept(run.global_id) for way in (Way.SOCKET, Way.SERVER_SENT)}
            address = f"http://{wire.host}"

            await is_running(dsn, run)

            short = alices(SHORT_SECONDS)
            for kept in readers.values():
                kept.token = short
            lost = await asyncio.gather(
                *(kept.follow(address, way) for way, kept in readers.items()), return_exceptions=True
            )
            assert [type(each) for each in lost] == [Lost, Lost]
            assert closed_with(lost[0]) == (4403, "Forbidden: token expired")
            assert all(TEXT.startswith(kept.text) and kept.text and kept.end is None for kept in readers.values())

            async with wire.http() as http:
                headers = {"Authorization": f"Bearer {readers[Way.SOCKET].token}"}
                again = await http.post("/graphql", json={"query": "{ viewer { userId } }"}, headers=headers)
            assert (again.status_code, again.json()["errors"][0]["message"]) == (401, "the token has expired")

            gate.set()
            for way, kept in readers.items():
                kept.token = alices()
                await kept.follow(address, way)
    for kept in readers.values():
        assert (kept.kind, kept.text) == ("CompletionFinished", TEXT)
        assert kept.seqs == sorted(set(kept.seqs))


def closed_with(lost: Any) -> tuple[int, str]:
    """Why the server closed a socket."""
    cause = lost.__cause__
    assert isinstance(cause, ConnectionClosed)
    assert cause.rcvd is not None
    return cause.rcvd.code, cause.rcvd.reason
