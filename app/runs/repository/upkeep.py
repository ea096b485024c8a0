"""Statements that write runs of all tenants, by the calendar."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Interval, Text, delete, exists, func, literal, or_, select, update

from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param
from app.messages.fragments import messages
from app.messages.values import UNFINISHED
from app.runs.fragments import LIVE_RUNS, LIVE_STATUSES, run_events, runs
from app.runs.values import EntryKind, RunStatus
from app.sessions.fragments import sessions
from app.tools.fragments import calls, executions, has_ended

_GIVEN_UP = [literal(kind.value, Text) for kind in EntryKind if not kind.last]


class ForgottenRun(NamedTuple):
    """A run that has its turn, or waits for it behind nobody."""

    tenant_id: str
    id: UUID


class BegunMessage(NamedTuple):
    """An answer that somebody else began and did not end."""

    tenant_id: str
    user_id: str
    id: UUID


def _compact() -> Command[int]:
    old = (
        select(runs.c.tenant_id, runs.c.id)
        .where(runs.c.finished_at < func.now() - param("kept", Interval), runs.c.compacted_at.is_(None))
        .order_by(runs.c.finished_at)
        .limit(param("most", BigInteger))
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    gone = (
        delete(run_events)
        .where(
            run_events.c.tenant_id == old.c.tenant_id,
            run_events.c.run_id == old.c.id,
            run_events.c.kind.in_(_GIVEN_UP),
        )
        .cte("gone")
    )
    done = (
        update(runs)
        .where(runs.c.tenant_id == old.c.tenant_id, runs.c.id == old.c.id)
        .values(compacted_at=func.now())
        .returning(literal(1).label("one"))
        .cte("done")
    )
    return Command(int, select(func.count().label("done")).select_from(done).add_cte(gone))


_COMPACT = _compact()


def _forgotten() -> Query[ForgottenRun]:
    ahead = runs.alias("ahead")
    behind_nobody = ~exists(
        select(ahead.c.id).where(
            ahead.c.tenant_id == runs.c.tenant_id,
            ahead.c.session_id == runs.c.session_id,
            ahead.c.status.in_(LIVE_STATUSES),
            ~ahead.c.waiting,
        )
    )
    # Those that wait for a person may be many, and old: they must not stand before the others.
    waits_for_tools = exists(
        select(executions.c.id)
        .join(calls, (calls.c.tenant_id == executions.c.tenant_id) & (calls.c.id == executions.c.tool_call_id))
        .where(
            calls.c.tenant_id == runs.c.tenant_id,
            calls.c.message_id == runs.c.message_id,
            executions.c.run_id == runs.c.id,
            ~has_ended(executions.c.status),
        )
    )
    at_rest = runs.c.status == literal(RunStatus.REQUIRES_ACTION.value, Text)
    return Query(
        ForgottenRun,
        select(runs.c.tenant_id, runs.c.id)
        .where(
            LIVE_RUNS,
            runs.c.created_at < func.now() - param("age", Interval),
            or_(~runs.c.waiting, behind_nobody),
            ~(at_rest & waits_for_tools),
        )
        .order_by(runs.c.created_at)
        .limit(param("most", BigInteger)),
    )


_FORGOTTEN = _forgotten()

_BEGUN = Query(
    BegunMessage,
    select(messages.c.tenant_id, sessions.c.user_id, messages.c.id)
    .join(sessions, (sessions.c.tenant_id == messages.c.tenant_id) & (sessions.c.id == messages.c.session_id))
    .where(
        messages.c.status.in_([literal(status.value, Text) for status in UNFINISHED]),
        messages.c.updated_at < func.now() - param("age", Interval),
        messages.c.deleted_at.is_(None),
        ~select(runs.c.id)
        .where(runs.c.tenant_id == messages.c.tenant_id, runs.c.message_id == messages.c.id, LIVE_RUNS)
        .exists(),
    )
    .order_by(messages.c.updated_at)
    .limit(param("most", BigInteger)),
)


async def compact(uow: UnitOfWork, kept: timedelta, most: int) -> int:
    """Give up the pieces of up to `most` runs that ended longer ago than `kept`; how many there were."""
    return await uow.run_one(_COMPACT, kept=kept, most=most) or 0


async def forgotten(scope: ReadScope, age: timedelta, most: int) -> list[ForgottenRun]:
    """Runs that have been live for longer than `age` and wait behind nobody, the oldest first."""
    return await scope.all(_FORGOTTEN, age=age, most=most)


async def begun_before(scope: ReadScope, age: timedelta, most: int) -> list[BegunMessage]:
    """Messages that no run writes, that are not finished, and of which nothing came for longer than `age`."""
    return await scope.all(_BEGUN, age=age, most=most)
