"""Many followers of one answer on real sockets: each has all of it, in order, whatever it selects."""

import threading
from contextlib import AsyncExitStack
from typing import Any

from app.core.actor import Actor
from app.core.ids import global_id
from app.sessions.values import SessionId
from tests.llm.provider_servers import ProviderServer, Reply, Until, openai_chunk, openai_end
from tests.runs.conftest import Process
from tests.runs.edge import edge
from tests.runs.scenes import ask, is_running

BARE = """subscription ($id: ID!) { messageCompletion(runId: $id) { __typename
    ... on CompletionSnapshot { seq text } ... on CompletionDelta { seq text } ... on CompletionEnd { seq } } }"""
RENAMED = """subscription Mine($id: ID!) { told: messageCompletion(runId: $id) { kind: __typename
    ... on CompletionDelta { said: text seq } ... on CompletionSnapshot { said: text seq message { id } }
    ... on CompletionEnd { seq run { status } } } }"""
FOLLOWERS = 24
WORDS = [f"word{number} " for number in range(60)]


async def test_followers_of_one_answer_each_have_all_of_it_in_order(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    gate = threading.Event()
    chunks = [openai_chunk({"content": word}) for word in WORDS]
    server.script(Reply([chunks[0], Until(gate), *chunks[1:], *openai_end("stop", None)]))
    run = await ask(asking, actor, session_id)
    await is_running(dsn, run)

    async with edge(asking) as wire, AsyncExitStack() as stack:
        speakers = [await stack.enter_async_context(wire.socket()) for _ in range(FOLLOWERS)]
        for number, speaker in enumerate(speakers):
            # Every fourth selects something else, and each has an id of its own.
            await speaker.subscribe(f"n{number}", RENAMED if number % 4 == 3 else BARE, id=global_id("Run", run.id))
            assert (await speaker.hear())["id"] == f"n{number}"
        gate.set()
        heard = [await speaker.hear_all(f"n{number}") for number, speaker in enumerate(speakers)]

    for number, messages in enumerate(heard):
        assert {message["id"] for message in messages} == {f"n{number}"}
        events = [_plain(message["payload"]) for message in messages[:-1]]
        *deltas, end = events
        assert WORDS[0] + "".join(event["text"] for event in deltas) == "".join(WORDS)
        assert [event["seq"] for event in events] == sorted({event["seq"] for event in events})
        assert {event["kind"] for event in deltas} == {"CompletionDelta"}
        assert end["kind"] == "CompletionFinished"


def _plain(payload: dict[str, Any]) -> dict[str, Any]:
    """An event by the names of the schema."""
    assert payload.keys() == {"data"}
    ((_, event),) = payload["data"].items()
    return {
        "text": event.get("said", event.get("text")),
        "seq": event["seq"],
        "kind": event.get("kind", event.get("__typename")),
    }
