"""Batched reads of runs and their logs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Integer,
    Numeric,
    Text,
    Uuid,
    any_,
    func,
    literal,
    select,
    true,
)

from app.budgets.values import EarlierUse
from app.core.actor import Actor, TenantId
from app.core.paging import ListName, Page, PageRequest
from app.db.database import Database
from app.db.pages import Order, PageShape, page_of_each
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.loading import Loader
from app.messages.values import MessageId
from app.runs.fragments import FACTS, LIVE_RUNS, LIVE_STATUSES, ledger, run_events, run_turns, runs
from app.runs.models import Run
from app.runs.values import EntryKind, RunEntry, RunId
from app.sessions.fragments import readable, sessions
from app.sessions.values import SessionId
from app.streams.feed import MOST_READ
from app.streams.values import StreamKey
from app.toolbox.values import OfferedTool

_readable_runs = (
    select(*FACTS)
    .join(sessions, (sessions.c.tenant_id == runs.c.tenant_id) & (sessions.c.id == runs.c.session_id))
    .where(readable(), runs.c.tenant_id == param("tenant_id"))
)

_BY_IDS = Query(Run, _readable_runs.where(runs.c.id == any_(param("ids", ARRAY(Uuid)))))


def _by_messages() -> Query[Run]:
    """The run of each message: in the turn it is at, or in one that it has left behind."""
    wanted = any_(param("ids", ARRAY(Uuid)))
    now = select(runs.c.message_id, runs.c.id.label("run_id")).where(
        runs.c.tenant_id == param("tenant_id"), runs.c.message_id == wanted
    )
    before = select(run_turns.c.message_id, run_turns.c.run_id).where(
        run_turns.c.tenant_id == param("tenant_id"), run_turns.c.message_id == wanted
    )
    written = now.union_all(before).subquery("written")
    return Query(
        Run,
        select(*FACTS, written.c.message_id.label("written_id"))
        .select_from(written)
        .join(runs, (runs.c.tenant_id == param("tenant_id")) & (runs.c.id == written.c.run_id))
        .join(sessions, (sessions.c.tenant_id == runs.c.tenant_id) & (sessions.c.id == runs.c.session_id))
        .where(readable()),
    )


_BY_MESSAGES = _by_messages()
_ACTIVE = Query(
    Run, _readable_runs.where(runs.c.session_id == any_(param("ids", ARRAY(Uuid))), LIVE_RUNS, ~runs.c.waiting)
)


class LiveRuns(NamedTuple):
    """How many runs there are in one state."""

    status: str
    waiting: bool
    """Whether they wait for another run of their session."""
    runs: int


@cache
def _live_by_status() -> Query[LiveRuns]:
    counted = select(runs.c.status, runs.c.waiting, func.count().label("runs"))
    return Query(LiveRuns, counted.where(LIVE_RUNS).group_by(runs.c.status, runs.c.waiting))


async def live_runs(scope: ReadScope) -> list[LiveRuns]:
    """The runs of all tenants that have not ended, by state: a pass over the index of those alone."""
    return await scope.all(_live_by_status())


_TOKENS_OF_ENTRY = (
    ledger.c.input_tokens
    + ledger.c.cached_input_tokens
    + ledger.c.cache_write_tokens
    + ledger.c.output_tokens
    + ledger.c.reasoning_tokens
)


class _Left(NamedTuple):
    run_id: UUID
    message_id: UUID


_LEFT_BEHIND = Query(
    _Left,
    select(run_turns.c.run_id, run_turns.c.message_id)
    .where(run_turns.c.tenant_id == param("tenant_id"), run_turns.c.run_id == any_(param("ids", ARRAY(Uuid))))
    .order_by(run_turns.c.run_id, run_turns.c.first_seq),
)


class _Offer(NamedTuple):
    id: UUID
    tools: list[dict[str, Any]]


_TOOLS = Query(
    _Offer,
    select(runs.c.id, runs.c.tools).where(
        runs.c.tenant_id == param("tenant_id"), runs.c.id == any_(param("ids", ARRAY(Uuid)))
    ),
)

_LIVE_OF_USER = Query(
    UUID,
    select(runs.c.id).where(
        runs.c.tenant_id == param("tenant_id"),
        runs.c.user_id == param("user_id"),
        # Found by the index of all live runs, of which there are few.
        runs.c.status.in_(LIVE_STATUSES),
    ),
)

_SPENT_SINCE = Query(
    EarlierUse,
    select(
        ledger.c.user_id,
        ledger.c.model,
        func.coalesce(func.sum(ledger.c.cost), 0).cast(Numeric).label("cost"),
        func.sum(_TOKENS_OF_ENTRY).cast(BigInteger).label("tokens"),
        func.coalesce(func.sum(_TOKENS_OF_ENTRY).filter(ledger.c.cost.is_(None)), 0)
        .cast(BigInteger)
        .label("unpriced_tokens"),
    )
    .where(ledger.c.tenant_id == param("tenant_id"), ledger.c.at >= param("since", DateTime(timezone=True)))
    .group_by(ledger.c.user_id, ledger.c.model),
)

_BY_NUMBER = Order((runs.c.sequence_number,), (int,), descending=True)


class RunById(Loader[RunId, Run | None]):
    """Runs of sessions the actor may read; None for any other id."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[RunId]) -> Sequence[Run | None]:
        """One statement for all ids."""
        found = {row.id: row for row in await scope.all(_BY_IDS, ids=keys, **actor.as_reader())}
        return [found.get(key) for key in keys]


class RunOfMessage(Loader[MessageId, Run | None]):
    """The run that writes a message, or wrote it; where the actor may read it. None where no run did."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[MessageId]) -> Sequence[Run | None]:
        """One statement for all messages."""
        found = {row.written_id: row for row in await scope.all(_BY_MESSAGES, ids=keys, **actor.as_reader())}
        return [found.get(key) for key in keys]


class MessagesOfRun(Loader[RunId, list[MessageId]]):
    """The messages that runs, which were read before, have written and left behind, in their order."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[RunId]) -> Sequence[list[MessageId]]:
        """One statement for all runs."""
        found: dict[UUID, list[MessageId]] = defaultdict(list)
        for row in await scope.all(_LEFT_BEHIND, tenant_id=actor.tenant_id, ids=keys):
            found[row.run_id].append(MessageId(row.message_id))
        return [found[key] for key in keys]


class ToolsOfRun(Loader[RunId, list[OfferedTool]]):
    """What runs, which were read before, offer to their models."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[RunId]) -> Sequence[list[OfferedTool]]:
        """One statement for all runs."""
        rows = await scope.all(_TOOLS, tenant_id=actor.tenant_id, ids=keys)
        found = {row.id: [OfferedTool.from_json(tool) for tool in row.tools] for row in rows}
        return [found.get(key, []) for key in keys]


class ActiveRunOfSession(Loader[SessionId, Run | None]):
    """The run that has a session's turn, where the actor may read it."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[SessionId]) -> Sequence[Run | None]:
        """One statement for all sessions."""
        found = {row.session_id: row for row in await scope.all(_ACTIVE, ids=keys, **actor.as_reader())}
        return [found.get(key) for key in keys]


@lru_cache(maxsize=8)
def _page_of_each(shape: PageShape) -> Query[Run]:
    rows = select(*FACTS).where(runs.c.tenant_id == param("tenant_id"))
    return Query(Run, page_of_each(rows, runs.c.session_id, _BY_NUMBER, shape))


class _RunCount(NamedTuple):
    session_id: UUID
    runs: int


_COUNTS = Query(
    _RunCount,
    select(runs.c.session_id, func.count().label("runs"))
    .where(runs.c.tenant_id == param("tenant_id"), runs.c.session_id == any_(param("ids", ARRAY(Uuid))))
    .group_by(runs.c.session_id),
)


class RunsOfSession(Loader[tuple[UUID, PageRequest], Page[Run]]):
    """Pages of the runs of sessions that were read before, newest first."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[tuple[UUID, PageRequest]]) -> Sequence[Page[Run]]:
        """One statement for all sessions that are asked for the same page."""
        wanted: dict[PageRequest, list[UUID]] = defaultdict(list)
        for session_id, request in keys:
            wanted[request].append(session_id)
        rows: dict[tuple[UUID, PageRequest], list[Run]] = defaultdict(list)
        for request, parents in wanted.items():
            positions = [_BY_NUMBER.parameters(request, ListName("runs", parent)) for parent in parents]
            query = _page_of_each(PageShape.of(request))
            for row in await scope.all(query, tenant_id=actor.tenant_id, parents=parents, **positions[0]):
                rows[row.session_id, request].append(row)
        return [self._page(session_id, request, rows[session_id, request]) for session_id, request in keys]

    def _page(self, session_id: UUID, request: PageRequest, rows: list[Run]) -> Page[Run]:
        name = ListName("runs", session_id)

        async def count() -> int:
            return await self.loaders.of(RunCounts).load(session_id)

        return Page.of(rows, request, lambda row: name.encode((row.sequence_number,)), count)


class RunCounts(Loader[UUID, int]):
    """How many runs a session has."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[UUID]) -> Sequence[int]:
        """One statement for all sessions."""
        rows = await scope.all(_COUNTS, tenant_id=actor.tenant_id, ids=keys)
        found = {row.session_id: row.runs for row in rows}
        return [found.get(key, 0) for key in keys]


class _Line(NamedTuple):
    run_id: UUID
    seq: int
    kind: str
    payload: dict[str, Any]


def _lines() -> Query[_Line]:
    wanted = (
        func.unnest(param("tenants", ARRAY(Text)), param("runs", ARRAY(Uuid)), param("positions", ARRAY(Integer)))
        .table_valued("tenant_id", "run_id", "position")
        .render_derived(name="wanted")
    )
    each = (
        select(run_events.c.seq, run_events.c.kind, run_events.c.payload)
        .where(
            run_events.c.tenant_id == wanted.c.tenant_id,
            run_events.c.run_id == wanted.c.run_id,
            run_events.c.seq > wanted.c.position,
        )
        .order_by(run_events.c.seq)
        .limit(literal(MOST_READ, Integer))
        .correlate(wanted)
        .lateral("each")
    )
    there = select(wanted.c.run_id, each.c.seq, each.c.kind, each.c.payload).select_from(wanted.join(each, true()))
    # A run that was deleted with its session has no last line: whoever follows it must not wait for ever.
    gone = (
        select(
            wanted.c.run_id, (wanted.c.position + 1).label("seq"), literal(EntryKind.GONE.value, Text).label("kind"),
            func.jsonb_build_object().label("payload"),
        )
        .select_from(wanted)
        .where(
            ~select(runs.c.id)
            .where(runs.c.tenant_id == wanted.c.tenant_id, runs.c.id == wanted.c.run_id)
            .correlate(wanted)
            .exists()
        )
    )  # fmt: skip
    found = there.union_all(gone).subquery("found")
    return Query(_Line, select(*found.c).order_by(found.c.run_id, found.c.seq))


_LINES = _lines()


async def read_lines(database: Database, after: Mapping[StreamKey, int]) -> Mapping[UUID, list[RunEntry]]:
    """What follows a position in each of many runs, in order; one statement. For a feed."""
    async with database.read() as scope:
        lines = await scope.all(
            _LINES,
            tenants=[key.tenant_id for key in after],
            runs=[key.id for key in after],
            positions=list(after.values()),
        )
    found: dict[UUID, list[RunEntry]] = defaultdict(list)
    for line in lines:
        found[line.run_id].append(RunEntry(line.seq, line.kind, line.payload))
    return found


async def live_runs_of(scope: ReadScope, actor: Actor) -> list[UUID]:
    """The ids of the actor's own runs that are not finished."""
    return await scope.all(_LIVE_OF_USER, **actor.as_owner())


async def spent_since(scope: ReadScope, tenant_id: TenantId, since: datetime) -> list[EarlierUse]:
    """What the runs of a tenant that ended at a moment or later have spent, by user and model: as `PastUse`."""
    return await scope.all(_SPENT_SINCE, tenant_id=tenant_id, since=since)
