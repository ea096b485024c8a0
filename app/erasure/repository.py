"""Statements that erase. They are made of the tables there are, by two rules, so that no room can be forgotten.

A table whose rows name their user is erased by that name; what hangs on a row by a foreign key that cascades (or, where
a foreign key would cost too much, by the `goes_with` of its table) goes with it. Made when they are first needed: all
rooms have their tables then.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    DateTime,
    Select,
    Table,
    Text,
    Uuid,
    any_,
    cast,
    delete,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)

from app.core.actor import NOBODY, TenantId, UserId
from app.db.base import Base
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param
from app.erasure.values import ACTOR_COLUMNS, OWNER_COLUMNS, STREAM_COLUMNS, Counted, ErasedRows
from app.events.fragments import events
from app.events.values import EventKind
from app.messages.fragments import messages
from app.sessions.fragments import sessions

SESSIONS_AT_ONCE = 100
MESSAGES_AT_ONCE = 2_000
"""With all that hangs on them: well below the time limit of a statement."""
ROWS_AT_ONCE = 10_000


class _Link(NamedTuple):
    """How rows of a table hang on those of another: a column that names the other's."""

    column: ColumnElement[Any]
    target: ColumnElement[Any]


class Batch(NamedTuple):
    """What one statement erased of events."""

    amount: int
    run_ids: list[str] | None
    """Global ids of the runs that the events told of."""
    execution_ids: list[str] | None
    """The same of the executions of tools."""


_NOW = Query(datetime, select(func.statement_timestamp().label("now")))


def _disown() -> Command[UUID]:
    found = (
        select(sessions.c.id)
        .where(
            sessions.c.tenant_id == param("tenant_id", Text),
            # And what an erasure that was interrupted has left.
            or_(sessions.c.user_id == param("user_id", Text), sessions.c.user_id == literal(NOBODY, Text)),
            sessions.c.created_at <= param("begun_at", DateTime(timezone=True)),
        )
        .limit(literal(SESSIONS_AT_ONCE, BigInteger))
        .with_for_update()
        .cte("found")
    )
    return Command(
        UUID,
        update(sessions)
        .where(sessions.c.tenant_id == param("tenant_id", Text), sessions.c.id.in_(select(found.c.id)))
        # A bare value would be a parameter by the name of its column, of which there is one.
        .values(user_id=cast(NOBODY, Text))
        .returning(sessions.c.id),
    )


_DISOWN = _disown()


def _hanging_on(table: Table) -> Iterator[tuple[Table, _Link]]:
    """The tables whose rows go with those of a table."""
    for other in Base.metadata.sorted_tables:
        if other is table:
            continue
        for foreign in other.foreign_key_constraints:
            if foreign.referred_table is table and foreign.ondelete == "CASCADE":
                element = foreign.elements[-1]
                yield other, _Link(element.parent, element.column)
        goes_with = other.info.get("goes_with", {})
        for name, target in goes_with.items():
            if target.partition(".")[0] == table.name:
                yield other, _Link(other.c[name], table.c[target.partition(".")[2]])


def _with_all_that_hangs(table: Table, doomed: CTE) -> list[tuple[Table, CTE]]:
    """Deletes the rows of a table whose `id` is doomed, and all that goes with them, each table once."""
    found: dict[Table, tuple[ColumnElement[bool], ...]] = {
        table: (table.c.tenant_id == param("tenant_id", Text), table.c.id.in_(select(doomed.c.id)))
    }
    pending = [table]
    for parent in pending:
        for child, link in _hanging_on(parent):
            if child not in found:
                targets = select(link.target).where(*found[parent])
                found[child] = (child.c.tenant_id == param("tenant_id", Text), link.column.in_(targets))
                pending.append(child)
    return [(one, _deleted(one, *conditions)) for one, conditions in found.items()]


def _deleted(table: Table, *conditions: ColumnElement[bool]) -> CTE:
    return delete(table).where(*conditions).returning(literal(1).label("one")).cte(f"deleted_{table.name}")


def _counted(deleted: list[tuple[Table, CTE]]) -> Select[Any]:
    rows = [
        select(literal(table.name, Text).label("table"), func.count().label("amount")).select_from(gone)
        for table, gone in deleted
    ]
    return select(*union_all(*rows).subquery("counted").c)


def _locked_sessions() -> CTE:
    """The one order of locks: the sessions' rows first, then what hangs on them."""
    return (
        select(sessions.c.id)
        .where(
            sessions.c.tenant_id == param("tenant_id", Text),
            (sessions.c.user_id == literal(NOBODY, Text)).is_(true()),
            sessions.c.id == any_(param("session_ids", ARRAY(Uuid))),
        )
        .order_by(sessions.c.id)
        .with_for_update()
        .cte("locked")
    )


@lru_cache(maxsize=1)
def _erase_messages() -> Command[ErasedRows]:
    locked = _locked_sessions()
    # The last ones first: a message may not be deleted before those that answer it. A lateral join is a loop over the
    # sessions, which ends when there are enough.
    latest = (
        select(messages.c.id)
        .where(messages.c.tenant_id == param("tenant_id", Text), messages.c.session_id == locked.c.id)
        .order_by(messages.c.sequence_number.desc())
        .limit(literal(MESSAGES_AT_ONCE, BigInteger))
        .correlate(locked)
        .lateral("latest")
    )
    doomed = (
        select(latest.c.id)
        .select_from(locked.join(latest, true()))
        .limit(literal(MESSAGES_AT_ONCE, BigInteger))
        .cte("doomed")
    )
    return Command(ErasedRows, _counted(_with_all_that_hangs(messages, doomed)))


@lru_cache(maxsize=1)
def _erase_sessions() -> Command[ErasedRows]:
    return Command(ErasedRows, _counted(_with_all_that_hangs(sessions, _locked_sessions())))


def _unowned_by_session(table: Table) -> list[ColumnElement[bool]]:
    """Whether a row hangs on no session that is there: what one has goes with it, or is of a later one."""
    return [
        ~exists(select(sessions.c.id).where(sessions.c.tenant_id == table.c.tenant_id, sessions.c.id == table.c[name]))
        for name in STREAM_COLUMNS
        if name in table.c
    ]


def _owner(table: Table) -> ColumnElement[Any] | None:
    return next((table.c[name] for name in OWNER_COLUMNS if name in table.c), None)


def owned_tables() -> list[Table]:
    """The tables whose rows name their user, save sessions and events, which have statements of their own."""
    return [
        table
        for table in Base.metadata.sorted_tables
        if _owner(table) is not None and table is not sessions and table is not events
    ]


def _batch(table: Table) -> list[ColumnElement[bool]]:
    """The next rows of the user. Parameters: tenant_id, user_id, begun_at."""
    owner = _owner(table)
    assert owner is not None  # noqa: S101 - only such tables come here
    conditions = [table.c.tenant_id == param("tenant_id", Text), owner == param("user_id", Text)]
    conditions += _unowned_by_session(table)
    if "created_at" in table.c:
        begun_at = param("begun_at", DateTime(timezone=True))
        # What lasts has no time.
        conditions.append(or_(table.c.created_at <= begun_at, ~func.isfinite(table.c.created_at)))
    key = tuple_(*table.primary_key.columns)
    doomed = select(*table.primary_key.columns).where(*conditions).limit(literal(ROWS_AT_ONCE, BigInteger))
    return [table.c.tenant_id == param("tenant_id", Text), key.in_(doomed)]


@lru_cache(maxsize=64)
def _erase_owned(name: str) -> Command[ErasedRows]:
    table = Base.metadata.tables[name]
    return Command(ErasedRows, _counted([(table, _deleted(table, *_batch(table)))]))


@lru_cache(maxsize=1)
def _erase_events() -> Command[Batch]:
    gone = delete(events).where(*_batch(events)).returning(events.c.kind, events.c.payload).cte("gone")
    told = [
        func.array_agg(gone.c.payload[subject].astext).filter(gone.c.kind == literal(kind.value, Text)).label(name)
        for name, subject, kind in (
            ("run_ids", "runId", EventKind.RUN_QUEUED),
            ("execution_ids", "toolExecutionId", EventKind.TOOL_EXECUTION_ADDED),
        )
    ]
    return Command(Batch, select(func.count().label("amount"), *told).select_from(gone))


def acting_columns() -> list[tuple[str, str]]:
    """The tables and columns that say who did something."""
    return [(table.name, name) for table in Base.metadata.sorted_tables for name in ACTOR_COLUMNS if name in table.c]


@lru_cache(maxsize=64)
def _unname(name: str, column: str) -> Command[ErasedRows]:
    table = Base.metadata.tables[name]
    owner = _owner(table)
    conditions = [table.c.tenant_id == param("tenant_id", Text), table.c[column] == param("user_id", Text)]
    if owner is not None:
        # Their own are erased, and those that came after it began are named as any.
        conditions.append(owner != param("user_id", Text))
    renamed = (
        update(table).where(*conditions).values({column: NOBODY}).returning(literal(1).label("one")).cte("renamed")
    )
    return Command(ErasedRows, _counted([(table, renamed)]))


async def now(scope: ReadScope) -> datetime:
    """The database's clock."""
    found = await scope.first(_NOW)
    assert found is not None  # noqa: S101 - it is one row
    return found


async def disown(uow: UnitOfWork, tenant: TenantId, user: UserId, begun_at: datetime) -> list[UUID]:
    """Take some sessions away from a user, of those that were there at a time: from now on they are nobody's."""
    found = await uow.run(_DISOWN, tenant_id=tenant, user_id=user, begun_at=begun_at)
    for session_id in found:
        uow.announce(session_id)
    return found


async def erase_messages(uow: UnitOfWork, tenant: TenantId, session_ids: list[UUID]) -> Counted:
    """Erase the last messages of nobody's sessions with all that hangs on them; nothing where none are left."""
    return _sum(await uow.run(_erase_messages(), tenant_id=tenant, session_ids=session_ids))


async def erase_sessions(uow: UnitOfWork, tenant: TenantId, session_ids: list[UUID]) -> Counted:
    """Erase nobody's sessions with all that hangs on them."""
    return _sum(await uow.run(_erase_sessions(), tenant_id=tenant, session_ids=session_ids))


async def erase_events(uow: UnitOfWork, tenant: TenantId, user: UserId) -> Batch:
    """Erase some events of a user's sessions that are no more."""
    return await uow.run_one(_erase_events(), tenant_id=tenant, user_id=user) or Batch(0, None, None)


async def erase_owned(uow: UnitOfWork, table: Table, tenant: TenantId, user: UserId, begun_at: datetime) -> int:
    """Erase some rows of a table that name the user; how many."""
    values: dict[str, object] = {"begun_at": begun_at} if "created_at" in table.c else {}
    return _sum(await uow.run(_erase_owned(table.name), tenant_id=tenant, user_id=user, **values))[table.name]


async def unname(uow: UnitOfWork, table: str, column: str, tenant: TenantId, user: UserId) -> Counted:
    """Take the user's name out of what is others'."""
    return _sum(await uow.run(_unname(table, column), tenant_id=tenant, user_id=user))


def _sum(rows: list[ErasedRows]) -> Counted:
    counted: Counted = Counter()
    for row in rows:
        counted[row.table] += row.amount
    return counted
