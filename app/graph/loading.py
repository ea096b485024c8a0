"""Loaders: a batch of keys becomes one statement."""

import asyncio
from collections.abc import Awaitable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeAlias, TypeVar

from aiodataloader import DataLoader

from app.core.actor import Actor
from app.db.database import Database
from app.db.scopes import ReadScope

K = TypeVar("K")
V = TypeVar("V")
L = TypeVar("L", bound="Loader[Any, Any]")

Loaded: TypeAlias = Awaitable[V] | V
"""What a resolver returns that asks a loader only where its row does not know the answer."""


class Loaders:
    """One instance of each loader class for one request: no registry to edit, the class is the key."""

    __slots__ = ("_by_level", "_ended", "_made", "_running", "actor", "database", "several")

    def __init__(self, database: Database, actor: Actor) -> None:
        self.database = database
        self.actor = actor
        self._made: dict[type[Any], Any] = {}
        self._running: set[asyncio.Task[Any]] = set()
        self._ended = False
        self._by_level = False
        self.several = False
        """Whether several root fields are completed at once: what they want in one turn of the loop is one batch."""

    @property
    def by_level(self) -> bool:
        """Whether what is wanted is only noted, for somebody who has all keys of a level loaded together."""
        return self._by_level

    @contextmanager
    def noting(self) -> Iterator[None]:
        """While it lasts, `load` notes what is wanted. Nothing may be awaited meanwhile."""
        self._by_level = True
        try:
            yield
        finally:
            self._by_level = False

    def of(self, kind: type[L]) -> L:
        """The request's own instance of a loader class."""
        made: L | None = self._made.get(kind)
        if made is None:
            made = self._made[kind] = kind(self)
        return made

    def forget(self) -> None:
        """Drop what was loaded: a mutation has changed it, or the operation has ended.

        Pages refer to what counts their lists, which is the loader that keeps them: left alone, all that an answer was
        made of would wait for the garbage collector, which takes a fifth of the time then.
        """
        for made in self._made.values():
            made.drop()
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


class Wanted(Generic[K, V]):
    """A key that somebody wants loaded. Whoever awaits it has it loaded at once, with what others want meanwhile."""

    __slots__ = ("key", "loader")

    def __init__(self, loader: "Loader[K, V]", key: K) -> None:
        self.loader = loader
        self.key = key

    def __await__(self) -> Generator[Any, Any, V]:
        return self.loader.load(self.key).__await__()


class Loader(DataLoader[K, V], Generic[K, V]):
    """Loads values by key, all keys of one level at once. Subclasses say how, in `fetch`.

    The actor's rights are part of the statement: a key that is not theirs has the same value as one that is not there.
    """

    def __init__(self, loaders: Loaders) -> None:
        super().__init__()
        self.loaders = loaders
        self.known: dict[K, V | Exception] = {}
        """What was fetched, or why it was not: no key is fetched twice in one operation."""
        self._under_way: dict[K, asyncio.Future[None]] = {}
        self._failure: Exception | None = None
        self._wanted: dict[K, None] = {}
        self._gathering: asyncio.Future[None] | None = None

    def drop(self) -> None:
        """Forget all that was loaded."""
        self.known.clear()
        self.clear_all()

    def load(self, key: K) -> Awaitable[V]:  # type: ignore[override]  # a future is more than is promised here
        """The value of a key, to be awaited."""
        if self.loaders.by_level:
            return Wanted(self, key)
        # Whoever else wants the key awaits the same future. graphql-core cancels what is beside a field that failed,
        # and would cancel that future with it: the others, and with them the operation, would end as cancelled.
        return asyncio.shield(super().load(key))

    async def load_level(self, keys: Iterable[K]) -> None:
        """Have all keys of a level in `known`, by one call of `fetch`. What that raises is there, too, and raised."""
        missing = [key for key in dict.fromkeys(keys) if key not in self.known]
        if missing:
            await (self._have_together(missing) if self.loaders.several else self._have(missing))
        if self._failure is not None:
            raise self._failure

    async def batch_load_fn(self, keys: list[K]) -> list[Any]:
        """Called by the data loader once per level."""
        with self.loaders.loading():
            await self._have(keys)
        return [self.known[key] for key in keys]

    async def _have_together(self, keys: list[K]) -> None:
        """With what other root fields want in the same turn of the loop."""
        self._wanted.update(dict.fromkeys(keys))
        if self._gathering is None:
            self._gathering = asyncio.ensure_future(self._have_wanted())
        await asyncio.shield(self._gathering)

    async def _have_wanted(self) -> None:
        with self.loaders.loading():
            await asyncio.sleep(0)
            keys, self._wanted, self._gathering = list(self._wanted), {}, None
            await self._have(keys)

    async def _have(self, keys: list[K]) -> None:
        """Fetch what is not known; what somebody else is fetching is waited for, and fetched where they gave up."""
        while missing := [key for key in keys if key not in self.known]:
            mine = [key for key in missing if key not in self._under_way]
            if mine:
                await self._fetch(mine)
            else:
                await asyncio.wait([self._under_way[missing[0]]])

    async def _fetch(self, keys: list[K]) -> None:
        ended = asyncio.get_running_loop().create_future()
        self._under_way.update(dict.fromkeys(keys, ended))
        try:
            async with self.loaders.database.read() as scope:
                found = await self.fetch(scope, self.loaders.actor, keys)
            self.known.update(zip(keys, found, strict=True))
        except Exception as error:
            self._failure = error
            self.known.update(dict.fromkeys(keys, error))
        finally:
            for key in keys:
                del self._under_way[key]
            ended.set_result(None)

    async def fetch(self, scope: ReadScope, actor: Actor, keys: list[K]) -> Sequence[V]:
        """The value of each key, in the order of `keys`."""
        raise NotImplementedError
