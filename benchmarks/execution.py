"""What execution costs by itself: per field, for an operation that is new, and what its plans take of the memory."""

import gc
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, cast

import strawberry
from graphql import parse

from app.core.actor import Actor
from app.core.settings.limits import LimitSettings
from app.db.database import Database
from app.db.scopes import ReadScope
from app.graph.body import GraphQLRequest
from app.graph.context import Context, Info
from app.graph.executor import EXECUTORS, ExecutorName
from app.graph.executor.batch import PLANS
from app.graph.loading import Loader
from app.graph.operations import Operations
from app.graph.preparing import Preparation
from app.graph.queries import query
from app.graph.schema import build_schema
from app.schema import schema
from benchmarks.conversations import ACTOR
from benchmarks.measure import Bench, Comparison, Side
from benchmarks.nested_page import QUERY

ROWS = 400
PLANS_KEPT = 10_000

_FIELDS = "id name count active cost createdAt"
_PER_ROW = len(_FIELDS.split())


class _Rows(Loader[int, "list[Row]"]):
    """Rows that are there already."""

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[int]) -> list["list[Row]"]:  # noqa: ARG002
        """They need not be asked for."""
        return [_ROWS for _ in keys]


@strawberry.type
class Row:
    id: strawberry.ID
    name: str
    count: int
    active: bool | None
    cost: Decimal
    created_at: datetime


@strawberry.type
class Parent:
    number: int

    @strawberry.field(graphql_type=list[Row])
    def rows(self, info: Info) -> Awaitable[list[Row]]:
        return info.context.loader(_Rows).load(self.number)


_ROWS = [
    Row(
        id=strawberry.ID(str(number)),
        name=f"row {number}",
        count=number,
        active=None if number % 3 else True,
        cost=Decimal("1.25"),
        created_at=datetime.now(UTC),
    )
    for number in range(ROWS)
]


@strawberry.type
class _Query:
    @query(list[Row], "Rows.")
    async def rows(self) -> list[Row]:
        return _ROWS

    @query(list[Parent], "Rows below rows.")
    async def parents(self) -> list[Parent]:
        return [Parent(number=number) for number in range(20)]


_SCHEMA = build_schema(_Query)


async def execution(bench: Bench) -> list[Comparison]:
    """Both executors over rows that are in memory: values completed in a second of CPU."""
    flat = await _both(bench, f"{ROWS} rows of {_PER_ROW} fields", f"{{ rows {{ {_FIELDS} }} }}", ROWS * _PER_ROW)
    levels = await _both(
        bench,
        f"20 objects, each with {ROWS} rows of {_PER_ROW} fields from a loader",
        f"{{ parents {{ number rows {{ {_FIELDS} }} }} }}",
        20 * (1 + ROWS * _PER_ROW),
    )
    flat.notes += [*_new_operation(), *_memory(bench)]
    return [flat, levels]


async def _both(bench: Bench, title: str, text: str, values: int) -> Comparison:
    found = await bench.compare(
        f"values of an answer a second: {title}",
        Side("batch", _rate("batch", text, values, bench.effort.seconds)),
        Side("standard", _rate("standard", text, values, bench.effort.seconds)),
        "",
    )
    for name, rates in (("batch", found.our_rates), ("standard", found.anchor_rates)):
        found.notes.append(f"{name}: {1e6 / max(rates):.2f} µs of CPU a value")
    return found


def _rate(name: ExecutorName, text: str, values: int, seconds: float) -> Callable[[], Awaitable[float]]:
    operations = Operations(_SCHEMA, executor=name)
    # Nothing of the database is used: what is loaded is there.
    context = Context(ACTOR, cast(Database, _NoDatabase()), {})

    async def rate() -> float:
        done, spent, started = 0, 0.0, perf_counter()
        while perf_counter() < started + seconds:
            context.loaders.forget()
            operation = operations.prepare(GraphQLRequest(text, {}), context)
            began = process_time()
            async for answer in await operations.start(operation, context):
                assert "errors" not in answer, answer
            spent += process_time() - began
            done += 1
        return done * values / spent

    return rate


class _NoDatabase:
    """Reads nothing."""

    async def for_query(self) -> "_NoDatabase":
        return self

    def read(self) -> "_NoDatabase":
        return self

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *_: object) -> None:
        return None


def _new_operation() -> list[str]:
    """What the page's operation takes when it is seen for the first time."""
    preparation = Preparation(schema.core, LimitSettings())
    prepare, plan = 9.0, 9.0
    for _ in range(10):
        began = process_time()
        document = preparation.prepare(QUERY).document
        prepared = process_time()
        _plan(document)
        prepare, plan = min(prepare, prepared - began), min(plan, process_time() - prepared)
    return [f"the page's operation, new: read and checked {prepare * 1e3:.1f} ms, planned {plan * 1e3:.1f} ms"]


def _plan(document: Any) -> None:
    executor = EXECUTORS["batch"].build(schema.core, document)
    assert isinstance(executor, EXECUTORS["batch"])
    PLANS.prepare(executor)


def _memory(bench: Bench) -> list[str]:
    """What the plans of as many operations take, of which each is new."""
    count = PLANS_KEPT if bench.effort.seconds >= 1 else PLANS_KEPT // 100
    bench.say(f"execution: {count:,} plans")
    gc.collect()
    before = _resident_bytes()
    for number in range(count):
        _plan(parse(QUERY.replace("sessions(", f"s{number}: sessions(", 1)))
    gc.collect()
    taken = _resident_bytes() - before
    return [
        f"{count:,} operations like the page's: {len(PLANS):,} plans are kept, which say they take "
        f"{PLANS.size_bytes / 2**20:.0f} MiB; the process has grown by {taken / 2**20:.0f} MiB"
    ]


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
