"""How messages were stored in a stretch of time: of sessions, or of all that a user has."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Double,
    Select,
    Text,
    cast,
    func,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.core.actor import Actor
from app.db.scopes import ReadScope
from app.db.statement import Query, param
from app.graph.loading import Loader
from app.messages.fragments import messages
from app.sessions.values import SessionId
from app.statistics.fragments import FAILED, SINCE, UNTIL, of_sessions, of_user, stored_of
from app.statistics.values import MOST_NAMES, ROLE_NAMES, STATUS_NAMES, PersistenceStatistics, Stretch, ranked


class _Figures(NamedTuple):
    key: str
    since: datetime
    until: datetime
    messages: int
    tokens: int
    failed: int
    processing: list[int] | None
    pipeline: list[float] | None
    counted: dict[str, list[list[Any]]] | None


def _sums(stored: CTE) -> CTE:
    halves = literal([0.5, 0.95], ARRAY(Double))
    return (
        select(
            stored.c.key,
            func.count().label("messages"),
            cast(func.sum(stored.c.token_count), BigInteger).label("tokens"),
            func.count().filter(stored.c.failed).label("failed"),
            func.percentile_disc(halves).within_group(stored.c.processing_time_ms).label("processing"),
            func.percentile_disc(halves).within_group(stored.c.pipeline_ms).label("pipeline"),
        )
        .group_by(stored.c.key)
        .cte("sums")
    )


def _counted(stored: CTE) -> CTE:
    """The counts of each kind as pairs, the highest first, at most MOST_NAMES of each."""
    warning = func.jsonb_array_elements(stored.c.warnings).table_valued("value").render_derived(name="warning")
    named: list[tuple[str, Any, Any]] = [
        ("role", stored.c.role, stored),
        ("status", stored.c.status, stored),
        ("intent", stored.c.intent_name, stored),
        ("warning", warning.c.value.op("->>")(literal("code", Text)), stored.join(warning, true())),
    ]
    by_kind = union_all(
        *(
            select(stored.c.key, literal(kind, Text).label("kind"), name.label("name"), func.count().label("times"))
            .select_from(rows)
            .where(name.is_not(None), *([stored.c.warnings.is_not(None)] if kind == "warning" else []))
            .group_by(stored.c.key, name)
            for kind, name, rows in named
        )
    ).subquery("by_kind")
    order = by_kind.c.times.desc(), by_kind.c.name.collate("C")
    place = func.row_number().over(partition_by=[by_kind.c.key, by_kind.c.kind], order_by=order)
    placed = select(*by_kind.c, place.label("place")).subquery("placed")
    pairs = (
        select(
            placed.c.key,
            placed.c.kind,
            func.jsonb_agg(
                aggregate_order_by(func.jsonb_build_array(placed.c.name, placed.c.times), placed.c.place)
            ).label("pairs"),
        )
        .where(placed.c.place <= MOST_NAMES)
        .group_by(placed.c.key, placed.c.kind)
        .subquery("pairs")
    )
    return (
        select(pairs.c.key, func.jsonb_object_agg(pairs.c.kind, pairs.c.pairs).label("counted"))
        .group_by(pairs.c.key)
        .cte("counted")
    )


def _figures(keys: CTE, wanted: CTE) -> Select[Any]:
    """The figures of each of the `keys` (key), over the sessions that are `wanted`."""
    stored = stored_of(
        wanted, messages.c.role, messages.c.status, messages.c.intent_name, messages.c.token_count,
        messages.c.processing_time_ms, FAILED.label("failed"),
        cast(messages.c.pipeline_facts["processingTimeMs"].astext, Double).label("pipeline_ms"),
        messages.c.pipeline_facts["warnings"].label("warnings"),
    )  # fmt: skip
    sums, counted = _sums(stored), _counted(stored)
    nothing = cast(0, BigInteger)
    return select(
        keys.c.key,
        SINCE.label("since"),
        UNTIL.label("until"),
        *(func.coalesce(sums.c[name], nothing).label(name) for name in ("messages", "tokens", "failed")),
        sums.c.processing,
        sums.c.pipeline,
        counted.c.counted,
    ).select_from(keys.outerjoin(sums, sums.c.key == keys.c.key).outerjoin(counted, counted.c.key == keys.c.key))


def _of_sessions() -> Query[_Figures]:
    wanted = of_sessions()
    return Query(_Figures, _figures(wanted, wanted))


def _of_user() -> Query[_Figures]:
    return Query(_Figures, _figures(select(param("user_id", Text).label("key")).cte("keys"), of_user()))


OF_SESSIONS = _of_sessions()
OF_USER = _of_user()


class PersistenceOfSession(Loader[tuple[SessionId, Stretch], PersistenceStatistics | None]):
    """How the messages of sessions were stored that the actor may read; None for any other id."""

    async def fetch(
        self, scope: ReadScope, actor: Actor, keys: list[tuple[SessionId, Stretch]]
    ) -> Sequence[PersistenceStatistics | None]:
        """One statement for all sessions that are asked for the same stretch."""
        wanted: dict[Stretch, list[SessionId]] = defaultdict(list)
        for session_id, stretch in keys:
            wanted[stretch].append(session_id)
        found: dict[tuple[str, Stretch], PersistenceStatistics] = {}
        for stretch, ids in wanted.items():
            for row in await scope.all(OF_SESSIONS, ids=ids, **stretch._asdict(), **actor.as_reader()):
                found[row.key, stretch] = _statistics(row, SessionId(UUID(row.key)))
        return [found.get((str(session_id), stretch)) for session_id, stretch in keys]


class PersistenceOfActor(Loader[Stretch, PersistenceStatistics]):
    """How the messages of all the actor's own sessions were stored."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[Stretch]) -> Sequence[PersistenceStatistics]:
        """One statement for each stretch."""
        found = [await scope.all(OF_USER, **stretch._asdict(), **actor.as_owner()) for stretch in keys]
        return [_statistics(row, None) for [row] in found]


def _statistics(row: _Figures, session_id: SessionId | None) -> PersistenceStatistics:
    half_processed, most_processed = row.processing or (None, None)
    half_prepared, most_prepared = row.pipeline or (None, None)
    kinds = {kind: dict(pairs) for kind, pairs in (row.counted or {}).items()}
    return PersistenceStatistics(
        session_id=session_id,
        since=row.since,
        until=row.until,
        total_messages=row.messages,
        total_tokens=row.tokens,
        failed_messages=row.failed,
        processing_time_p50_ms=half_processed,
        processing_time_p95_ms=most_processed,
        pipeline_time_p50_ms=half_prepared,
        pipeline_time_p95_ms=most_prepared,
        messages_by_role=ranked({ROLE_NAMES[name]: times for name, times in kinds.get("role", {}).items()}),
        messages_by_status=ranked({STATUS_NAMES[name]: times for name, times in kinds.get("status", {}).items()}),
        intents=ranked(kinds.get("intent", {})),
        warnings=ranked(kinds.get("warning", {})),
    )
