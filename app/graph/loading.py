"""Loaders: a batch of keys becomes one statement."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from aiodataloader import DataLoader

from app.core.actor import Actor
from app.db.database import Database
from app.db.scopes import ReadScope

K = TypeVar("K")
V = TypeVar("V")
L = TypeVar("L", bound="Loader[Any, Any]")


class Loaders:
    """One instance of each loader class for one request: no registry to edit, the class is the key."""

    __slots__ = ("_ended", "_made", "_running", "actor", "database")

    def __init__(self, database: Database, actor: Actor) -> None:
        self.database = database
        self.actor = actor
        self._made: dict[type[Any], Any] = {}
        self._running: set[asyncio.Task[Any]] = set()
        self._ended = False

    def of(self, kind: type[L]) -> L:
        """The request's own instance of a loader class."""
        made: L | None = self._made.get(kind)
        if made is None:
            made = self._made[kind] = kind(self)
        return made

    def forget(self) -> None:
        """Drop what was loaded: a mutation has changed it."""
        self._made.clear()

    @contextmanager
    def loading(self) -> Iterator[None]:
        """One batch. It runs in a task of the data loader's, of which nobody else knows."""
        task = asyncio.current_task()
        if self._ended or task is None:
            raise asyncio.CancelledError
        self._running.add(task)
        try:
            yield
        finally:
            self._running.discard(task)

    async def end(self) -> None:
        """Cancel what is being loaded, with its statements; nothing is loaded any more."""
        self._ended = True
        running = set(self._running)
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)


class Loader(DataLoader[K, V], Generic[K, V]):
    """Loads values by key, all keys of one level at once. Subclasses say how, in `fetch`.

    The actor's rights are part of the statement: a key that is not theirs has the same value as one that is not there.
    """

    def __init__(self, loaders: Loaders) -> None:
        super().__init__()
        self.loaders = loaders

    async def batch_load_fn(self, keys: list[K]) -> list[Any]:
        """Called by the data loader once per level."""
        with self.loaders.loading():
            async with self.loaders.database.read() as scope:
                return list(await self.fetch(scope, self.loaders.actor, keys))

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[K]) -> Sequence[V]:
        """The value of each key, in the order of `keys`."""
        raise NotImplementedError
