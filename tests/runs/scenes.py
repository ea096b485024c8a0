"""Short ways to ask for answers, and to look at what became of them."""

import asyncio
import threading
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import replace
from typing import Any
from uuid import UUID

from app.core.actor import Actor
from app.db.database import Database
from app.idempotency.values import ClientKey
from app.runs import service
from app.runs.accounts import Accounts
from app.runs.following import Delta, Ended, Snapshot, Told
from app.runs.models import Run
from app.runs.values import Asked, Ending, OnBusy, RunId, RunStatus, Wanted
from app.sessions.values import SessionId
from tests.conversations import counters, eventually, recounted, rows
from tests.llm.provider_servers import ProviderServer, Reply, Until, openai_answer
from tests.runs.conftest import Process
from tests.worlds import stored

SCRIPTED = Wanted("compatible:scripted")
ECHO = Wanted("local:echo")

BACKGROUND = "pgqueuer"
"""What the tables of the job library are called: they change by themselves."""

_LIVE = "SELECT count(*) FROM runs WHERE status IN ('queued', 'running')"


def held_back(text: str, gate: threading.Event, *, after: int = 1) -> Reply:
    """An answer that goes on after so many words when the gate is opened."""
    return openai_answer(text).broken(after, by=Until(gate))


async def ask(
    process: Process,
    actor: Actor,
    session_id: SessionId | None = None,
    content: str = "Hello?",
    *,
    on_busy: OnBusy = OnBusy.REJECT,
    wanted: Wanted = SCRIPTED,
    key: ClientKey | None = None,
    **more: Any,
) -> Run:
    """The run that answers."""
    asked = replace(Asked(session_id, content, wanted, on_busy=on_busy), **more)
    return (await process.runs.send(process.database, actor, asked, key)).run


async def followed(process: Process, actor: Actor, run: Run | RunId, after: int | None = None) -> list[Told]:
    """All that a subscriber is told."""
    run_id = _id_of(run)
    async with asyncio.timeout(60), aclosing(process.completions.follow(actor, run_id, after)) as events:
        return [event async for event in events]


def text_of(told: Iterable[Told]) -> str:
    """What a subscriber has in the end."""
    text = ""
    for event in told:
        match event:
            case Snapshot():
                text = event.text
            case Delta():
                text += event.text
            case _:
                pass
    return text


async def end_of(process: Process, actor: Actor, run: Run | RunId) -> Run:
    """The run as its followers see it end."""
    last = (await followed(process, actor, run))[-1]
    assert isinstance(last, Ended)
    return last.run


async def row_of(dsn: str, run: Run | RunId) -> dict[str, Any]:
    """The run as it is stored."""
    [found] = await rows(dsn, "SELECT * FROM runs WHERE id = $1", _id_of(run))
    return dict(found)


async def message_of(dsn: str, run: Run | RunId) -> dict[str, Any]:
    """The message that a run writes, as it is stored."""
    of_run = "SELECT m.* FROM chat_messages m JOIN runs r ON r.message_id = m.id WHERE r.id = $1"
    [found] = await rows(dsn, of_run, _id_of(run))
    return dict(found)


async def ledger_of(dsn: str, run: Run) -> list[dict[str, Any]]:
    """What was entered for a run."""
    return [dict(entry) for entry in await rows(dsn, "SELECT * FROM usage_ledger WHERE run_id = $1", run.id)]


async def statuses(dsn: str, session_id: SessionId) -> list[str]:
    """Of the runs of a session, in their order."""
    found = await rows(dsn, "SELECT status FROM runs WHERE session_id = $1 ORDER BY sequence_number", session_id)
    return [row["status"] for row in found]


async def is_running(dsn: str, run: Run) -> None:
    """Return once a worker has it, and something of its answer is stored."""
    shown = "SELECT count(*) FROM run_events WHERE run_id = $1 AND seq = 1"
    await eventually(lambda: _count(dsn, shown, run.id), 1)


async def is_quiet(dsn: str) -> None:
    """Return once no run is live."""
    await eventually(lambda: _count(dsn, _LIVE), 0)


async def agrees(dsn: str, session_id: SessionId) -> None:
    """Numbers have no gaps, and the session's counters are those of its rows."""
    assert await recounted(dsn, session_id) == await counters(dsn, session_id)


async def contents(dsn: str) -> dict[str, tuple[int, str]]:
    """All that is stored."""
    return {name: found for name, found in (await stored(dsn)).items() if not name.startswith(BACKGROUND)}


def heard_by(server: ProviderServer, request: int = -1) -> list[tuple[str, str]]:
    """Who says what in what the model was asked."""
    return [(part["role"], part["content"]) for part in server.requests[request].body["messages"]]


def a_key(body: object = "body") -> ClientKey:
    """A client's key for a request."""
    return ClientKey.of("once", "operation", body)


async def end(database: Database, accounts: Accounts, actor: Actor, run: Run, status: RunStatus) -> None:
    """End a run as its worker would."""
    async with database.unit_of_work() as uow:
        found = await service.locked(uow, run)
        assert found is not None
        await service.end(uow, actor, accounts, found, Ending(status))


def _id_of(run: Run | RunId) -> RunId:
    # Rows are records and no instances of their tables' classes.
    return run if isinstance(run, UUID) else RunId(run.id)


async def _count(dsn: str, statement: str, *values: object) -> int:
    [[found]] = await rows(dsn, statement, *values)
    return int(found)
