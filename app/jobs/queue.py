"""Adds jobs, inside the transaction of what they are about."""

from datetime import timedelta
from typing import NamedTuple

from pgqueuer.adapters.persistence.qb import QueryQueueBuilder

from app.db.scopes import Transaction, UnitOfWork
from app.db.statement import LibraryCommand
from app.jobs.library import NAMES
from app.jobs.values import JobKind
from app.telemetry.spans import headers_to_pass_on


class _Enqueued(NamedTuple):
    ord: int
    id: int


_ENQUEUE = LibraryCommand(
    _Enqueued,
    QueryQueueBuilder(NAMES).build_enqueue_query("skip"),
    ("priorities", "kinds", "payloads", "delays", "keys", "headers"),
    ("ord", "id"),
)


_QUEUE = NAMES.qualified.queue_table
_WITHDRAW = LibraryCommand(
    int,
    f"""DELETE FROM {_QUEUE} WHERE split_part(dedupe_key, ':', 1) = $1::text
        AND split_part(dedupe_key, ':', 2) = ANY($2::text[]) RETURNING 1 AS one""",  # noqa: S608 - the name is ours
    ("kind", "subjects"),
    ("one",),
)


async def withdraw(uow: UnitOfWork, kind: JobKind, subjects: list[str]) -> int:
    """Take the jobs whose keys begin with one of these, up to a colon, out of the queue, also such as are being run.

    How many there were. It reads the whole queue, of which there is little at a time.
    """
    return len(await uow.run(_WITHDRAW, kind=kind, subjects=subjects))


async def enqueue(
    uow: UnitOfWork, kind: JobKind, payload: bytes, *, delay_seconds: float = 0, key: str | None = None
) -> None:
    """Add a job that runs at least once after the commit, and never when the unit of work is rolled back.

    While a job of the kind with the same `key` waits or runs, another is not added. TypeError where the unit of work is
    a single statement: the job would be a transaction of its own.
    """
    if not isinstance(uow, Transaction):
        raise TypeError("a job is added in a transaction of several statements: open a unit of work")
    await uow.run(
        _ENQUEUE,
        priorities=[0],
        kinds=[kind],
        payloads=[payload],
        delays=[timedelta(seconds=delay_seconds)],
        keys=[None if key is None else f"{kind}:{key}"],
        headers=[headers_to_pass_on()],
    )
