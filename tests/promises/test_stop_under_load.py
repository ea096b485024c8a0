"""A server that is told to stop while clients of all kinds are at it: each is told, or comes again; nothing is lost."""

import asyncio
import signal
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed

from app.core.errors import ErrorCode
from app.core.ids import split_global_id
from tests.answers import ask, inconsistent, nothing_under_way
from tests.client import GraphQLClient
from tests.conversations import eventually, rows, value
from tests.followers import HAPPENING, Kept, Lost, Way, subscribed
from tests.processes import two_servers
from tests.uploads import FileToSend

WRITERS = 6
READERS = 3
BEFORE = 5
"""What each writer has had stored when the server is told to stop; what is under way then is what this is about."""
AFTER = 3
"""What each has stored by the other server afterwards."""

LONG = " ".join(["word"] * 400)
"""An answer that is written for longer than a server waits for it."""

ENVIRONMENT = {"COLLOQUY_SHUTDOWN_SECONDS": "3", "COLLOQUY_LOCAL_WORDS_PER_SECOND": "20"}

CODES = {code.value for code in ErrorCode} - {ErrorCode.INTERNAL_SERVER_ERROR.value}


@dataclass
class Person:
    """Asks the first server until it does not answer, and then the second."""

    clients: list[GraphQLClient]
    moved: int = 0
    """Requests without an answer."""

    async def mutate(self, name: str, selection: str, input_: dict[str, Any]) -> dict[str, Any]:
        """The payload; a request that nobody answered is sent again to the second server, as it was."""
        try:
            payload = await self.clients[0].mutate(name, selection, input_)
        except httpx2.TransportError:
            self.moved += 1
            self.clients = self.clients[1:]
            payload = await self.clients[0].mutate(name, selection, input_)
        assert payload["success"], payload
        return payload


async def write(person: Person, name: str, session: str, wrote: Counter[str]) -> list[str]:
    """Say things and upload files, with client keys, until the other server has taken enough; what was said."""
    said: list[str] = []
    after = 0
    while after < AFTER:
        content = f"{name}-{len(said)}"
        message = await person.mutate(
            "persistUserMessage", "message { id }", {"sessionId": session, "content": content, "clientKey": content}
        )
        file = {
            "messageId": message["message"]["id"],
            "file": FileToSend(content.encode()),
            "clientKey": f"{content}, its file",
        }
        await person.mutate("uploadAttachment", "attachment { id }", file)
        said.append(content)
        wrote[name] += 1
        after += person.moved > 0
    return said


async def read(client: GraphQLClient, session: str) -> int:
    """Ask until nobody answers: how often an answer came. Each has its data, or errors with their codes."""
    query = "query ($id: ID!) { session(id: $id) { messages(last: 20) { nodes { content attachments { id } } } } }"
    answers = 0
    while True:
        try:
            answer = await client.answer(query, {"id": session})
        except httpx2.TransportError:
            return answers
        assert {error["extensions"]["code"] for error in answer.get("errors", [])} <= CODES, answer
        answers += 1


@dataclass
class Listener:
    """Follows a session, wherever that is possible."""

    way: Way
    seqs: list[int] = field(default_factory=list)
    close_codes: list[int] = field(default_factory=list)

    async def follow(self, session: str, addresses: list[str]) -> None:
        """Go on for ever, with the next server whenever the connection ends."""
        for address in addresses:
            variables = {"sessionId": session, "after": str(self.seqs[-1] if self.seqs else 0)}
            try:
                async for event in subscribed(address, self.way, HAPPENING, variables):
                    self.seqs.append(int(event["seq"]))
            except Lost as lost:
                if isinstance(lost.__cause__, ConnectionClosed) and lost.__cause__.rcvd is not None:
                    self.close_codes.append(lost.__cause__.rcvd.code)


@pytest.mark.timeout(300)
async def test_stopping_under_load_loses_nothing_and_doubles_nothing(tmp_path: Path, dsn: str) -> None:
    listeners = [Listener(way) for way in (Way.SOCKET, Way.SOCKET, Way.SERVER_SENT)]
    wrote: Counter[str] = Counter()
    async with AsyncExitStack() as stack:
        first, second = await stack.enter_async_context(two_servers(tmp_path, DATABASE_URL=dsn, **ENVIRONMENT))
        clients = [await stack.enter_async_context(server.client()) for server in (first, second)]
        addresses = [await server.address() for server in (first, second)]
        session = await clients[0].create_session(title="Busy")
        # What is asked while the other is paused is worked by the one that is to stop.
        second.pause()
        asked = await ask(clients[0], LONG)
        after = await ask(clients[0], "short", sessionId=asked.session_id, onBusy="ENQUEUE")
        cut, waiting = Kept(asked.run_id), Kept(after.run_id)
        await cut.follow(addresses[0], events=2)
        second.go_on()

        answers = [asyncio.create_task(kept.follow_on(addresses)) for kept in (cut, waiting)]
        following = [asyncio.create_task(listener.follow(session, addresses)) for listener in listeners]
        readers = [asyncio.create_task(read(clients[0], session)) for _ in range(READERS)]
        people = [Person(clients) for _ in range(WRITERS)]
        writers = [
            asyncio.create_task(write(person, f"writer-{number}", session, wrote))
            for number, person in enumerate(people)
        ]
        await eventually(lambda: _least(wrote), True)

        first.process.send_signal(signal.SIGTERM)
        said = await asyncio.gather(*writers)
        read_by_each = await asyncio.gather(*readers)
        code = await first.ended()
        await asyncio.gather(*answers)
        last = await value(dsn, "SELECT max(seq) FROM events WHERE stream_id = $1", split_global_id(session)[1])
        await eventually(lambda: _all_heard(listeners, last), True)
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        await nothing_under_way(dsn)

    assert code == 0, first.said
    assert "Traceback" not in first.said + second.said
    assert [person.moved for person in people] == [1] * WRITERS
    assert min(read_by_each) > 0
    contents = [row["content"] for row in await rows(dsn, STORED, split_global_id(session)[1])]
    assert sorted(contents) == sorted(content for each in said for content in each)
    assert [listener.seqs for listener in listeners] == [list(range(1, last + 1))] * len(listeners)
    assert [listener.close_codes for listener in listeners] == [[1012], [1012], []]
    assert (cut.kind, LONG.startswith(cut.text)) in [("CompletionInterrupted", True), ("CompletionFinished", True)]
    assert (waiting.kind, waiting.text) == ("CompletionFinished", "short")
    assert await inconsistent(dsn) == []


STORED = """SELECT m.content FROM chat_messages AS m JOIN message_attachments AS a ON a.message_id = m.id
    WHERE m.session_id = $1"""
"""Twice what has two files; and not what has none."""


async def _least(wrote: Counter[str]) -> bool:
    return len(wrote) == WRITERS and min(wrote.values()) >= BEFORE


async def _all_heard(listeners: list[Listener], last: int) -> bool:
    return all(listener.seqs[-1:] == [last] for listener in listeners)
