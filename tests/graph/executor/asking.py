"""The same operation, executed by both executors: what each tells, what each logs, and whether that is the same."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from graphql.execution import Executor
from structlog.testing import capture_logs

from app.core.actor import Actor
from app.core.errors import AppError
from app.core.settings.limits import LimitSettings
from app.db.database import Database
from app.graph.body import GraphQLRequest
from app.graph.context import Context
from app.graph.executor import EXECUTORS
from app.graph.operations import Operation, Operations, Refused, answer_of, errors_of
from app.graph.schema import Schema
from app.statistics.service import StatisticsCache
from tests.client import WIDE

Prepare = Callable[[Context], Context]
"""What is done to the context of an operation, before it is executed."""

Error = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What became of an operation."""

    answers: tuple[bytes, ...]
    """As bytes, one for each event of a subscription; the errors in the order of their paths.

    Where several loaders fail, whichever is done first tells its error first: that is no executor's to decide.
    """
    logged: tuple[str, ...]
    """Of each fault that was masked: where it was, and what it was."""
    codes: frozenset[str]
    """What the errors say they are."""


class WithoutPropagation(Executor[Any]):
    """Executes as graphql-core does, but a value that fails is null where it stands: each error is told."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.error_propagation = False


class Both:
    """Asks both executors, as one actor, over one database."""

    def __init__(self, schema: Schema, database: Database, services: Mapping[type, object], actor: Actor) -> None:
        limits = LimitSettings(**WIDE)
        self._operations = {name: Operations(schema, limits, executor=name) for name in EXECUTORS}
        self._schema = schema
        self._database = database
        self._services = services
        self._actor = actor

    def prepared(self, asked: GraphQLRequest) -> Operation:
        """An operation that may be executed; Refused or an AppError where it may not."""
        return self._operations["batch"].prepare(asked, self._context())

    async def same(self, operation: Operation, prepare: Prepare = lambda context: context) -> tuple[Told, bool]:
        """What both tell, and whether it is the same to the byte.

        Where it is not, several errors meet in one null. Of those graphql-core tells the one that comes first, and
        what had failed below that null before: which is a matter of time, with either executor. AssertionError where
        anything else differs.
        """
        batch, standard = [await self._by(self._operations[name], operation, prepare) for name in ("batch", "standard")]
        if batch == standard:
            return standard, True
        assert len(batch.answers) == len(standard.answers), (batch, standard)
        possible = await self._possible(operation, prepare)
        for answers in zip(batch.answers, standard.answers, strict=True):
            ours, theirs = map(json.loads, answers)
            assert json.dumps(ours.get("data")) == json.dumps(theirs.get("data")), answers
            check_errors(ours, theirs, possible)
        return standard, False

    async def _by(self, operations: Operations, operation: Operation, prepare: Prepare) -> Told:
        context = prepare(self._context())
        answers: list[dict[str, Any]] = []
        with capture_logs() as lines:
            try:
                async with aclosing(await operations.start(operation, context)) as found:
                    answers += [answer async for answer in found]
            except (Refused, AppError) as error:
                answers.append({"errors": errors_of(error, self._actor.correlation_id)})
        errors = [error for answer in answers for error in answer.get("errors", ())]
        return Told(
            tuple(map(written, answers)),
            tuple(sorted(f"{line['event']} {line.get('path')} {line.get('exc_info')!r}" for line in lines)),
            frozenset(error["extensions"]["code"] for error in errors),
        )

    async def _possible(self, operation: Operation, prepare: Prepare) -> list[Error]:
        """All the errors of a query, however they meet."""
        context = prepare(self._context())
        with capture_logs():
            found = await self._schema.run(operation.asked, operation.document, context, WithoutPropagation)
            answer = json.loads(written(answer_of(found, self._actor.correlation_id)))
        return list(answer.get("errors", ()))

    def _context(self) -> Context:
        # What one execution has kept for the next must not be what they have in common.
        return Context(self._actor, self._database, {**self._services, StatisticsCache: StatisticsCache()})


def check_errors(ours: Mapping[str, Any], theirs: Mapping[str, Any], possible: Sequence[Error]) -> None:
    """Fail unless two answers of the same data differ only in which of several errors that meet is told."""
    data = theirs.get("data")
    mine, standard, all_of = (meeting(found, data) for found in (ours["errors"], theirs["errors"], possible))
    assert mine.keys() == standard.keys(), (ours, theirs)
    for place, errors in mine.items():
        if len(all_of[place]) == 1 or errors == standard[place]:
            assert errors == standard[place], (place, errors, standard[place])
        else:
            # The nulls of an answer with fewer of them are elsewhere, so that an error is told once here or there.
            assert all(error in all_of[place] for error in errors), (place, errors, all_of[place])


def meeting(errors: Sequence[Error], data: Any) -> dict[tuple[str | int, ...], list[Error]]:
    """Errors by the place of the null that they have led to."""
    found: dict[tuple[str | int, ...], list[Error]] = {}
    for error in errors:
        found.setdefault(tuple(_to_null(error.get("path", ()), data)), []).append(error)
    return found


def _to_null(path: Sequence[str | int], data: Any) -> Iterator[str | int]:
    for step in path:
        if data is None:
            return
        yield step
        data = data[step]


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else repr(value)


def written(answer: dict[str, Any]) -> bytes:
    """An answer as it is sent; of text that cannot be, as it would be if it could."""
    if "errors" in answer:
        answer = {**answer, "errors": sorted(answer["errors"], key=lambda error: json.dumps(error, sort_keys=True))}
    try:
        return orjson.dumps(answer)
    except TypeError:
        return json.dumps(answer, default=_text).encode()
