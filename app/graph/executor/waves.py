"""Running a plan: a level at a time, until nothing waits any more."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from inspect import iscoroutine
from typing import Any, NamedTuple

from graphql.execution import Executor

from app.graph.executor.calls import values_of
from app.graph.executor.selections import Field
from app.graph.loading import Loader, Wanted

Rows = list[Any]
Objects = list[dict[str, Any]]
Put = Callable[[Objects, Sequence[Any]], None]
Gathered = tuple[Rows, Objects, Put]
"""The rows of a level, the objects made of them, and what puts a field's values into these."""


class Level(NamedTuple):
    """One field of one level: its values, of which some may be on their way."""

    objects: Objects
    values: list[Any]
    put: Put


class Run:
    """One execution of a plan. Whatever is unexpected is raised, and nothing is left running or waiting."""

    def __init__(self, executor: Executor[Any], fields: Sequence[Field], gathered: Sequence[Gathered]) -> None:
        self._executor = executor
        self._fields = fields
        self._gathered = gathered
        loaders = getattr(executor.context_value, "loaders", None)
        self._noting = loaders.noting if loaders is not None else nullcontext

    def complete(self, data: Any) -> Any:
        """`data` once all of its levels are there; to be awaited where one of them is."""
        while levels := self._next():
            wanted, awaited = _on_their_way(levels, self._executor)
            if wanted or awaited:
                return self._completed(data, levels, wanted, awaited)
            _put(levels)
        return data

    async def _completed(
        self, data: Any, levels: list[Level], wanted: dict[Loader[Any, Any], list[Any]], awaited: list[Awaitable[Any]]
    ) -> Any:
        while levels:
            await _arrive(levels, wanted, awaited)
            _put(levels)
            levels = self._next()
            wanted, awaited = _on_their_way(levels, self._executor)
        return data

    def _next(self) -> list[Level]:
        """Call the resolvers of what was gathered by now."""
        levels: list[Level] = []
        try:
            with self._noting():
                for field, (rows, objects, put) in zip(self._fields, self._gathered, strict=True):
                    if rows:
                        values = values_of(self._executor, field, rows)
                        levels.append(Level(objects.copy(), values, put))
                        rows.clear()
                        objects.clear()
        except Exception:
            _close(levels)
            raise
        return levels


def _on_their_way(
    levels: list[Level], executor: Executor[Any]
) -> tuple[dict[Loader[Any, Any], list[Any]], list[Awaitable[Any]]]:
    """The keys to load, by their loaders, and what else is to be awaited, in the order of the values."""
    wanted: dict[Loader[Any, Any], list[Any]] = {}
    awaited: list[Awaitable[Any]] = []
    for level in levels:
        for value in level.values:
            if type(value) is Wanted:
                keys = wanted.get(value.loader)
                if keys is None:
                    keys = wanted[value.loader] = []
                keys.append(value.key)
            elif executor.is_awaitable(value):
                awaited.append(value)
    return wanted, awaited


async def _arrive(
    levels: list[Level], wanted: dict[Loader[Any, Any], list[Any]], awaited: list[Awaitable[Any]]
) -> None:
    """Replace what is on its way by what arrives. The first failure is raised at once, and the others are given up."""
    arrived: dict[int, Any] = {}
    if len(wanted) == 1 and not awaited:
        ((loader, keys),) = wanted.items()
        await loader.load_level(keys)
    elif wanted or awaited:
        loads = [loader.load_level(keys) for loader, keys in wanted.items()]
        found = await _together([*loads, *awaited])
        arrived = {id(value): result for value, result in zip(awaited, found[len(loads) :], strict=True)}
    for level in levels:
        values = level.values
        for index, value in enumerate(values):
            if type(value) is Wanted:
                values[index] = value.loader.known[value.key]
            elif arrived and id(value) in arrived:
                values[index] = arrived[id(value)]


async def _together(awaited: Sequence[Awaitable[Any]]) -> list[Any]:
    """Their results. With the first that fails, or when this is cancelled, what was begun here is cancelled."""
    tasks = [asyncio.ensure_future(value) for value in awaited]
    # A future is somebody else's, who may want it yet.
    begun = [task for task, value in zip(tasks, awaited, strict=True) if task is not value]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        failed = [error for task in tasks if task.done() and (error := task.exception())]
        if failed:
            raise failed[0]
        return [task.result() for task in tasks]
    finally:
        left = [task for task in begun if not task.done()]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)


def _put(levels: list[Level]) -> None:
    for objects, values, put in levels:
        put(objects, values)


def _close(levels: list[Level]) -> None:
    """Give up what was begun and will not be awaited."""
    for level in levels:
        for value in level.values:
            if iscoroutine(value):
                value.close()
