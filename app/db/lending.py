"""Lending the connections of a pool."""

import asyncio
from collections import deque
from contextlib import suppress
from time import perf_counter_ns
from types import TracebackType
from typing import Any

import asyncpg

from app.db.errors import DatabaseUnavailable
from app.telemetry.pools import PoolUse

AT_HAND_SECONDS = 1.0
"""How long a connection may stay out of the pool: within this much more than they say its own rules are followed, for
idle connections, for those to be replaced, and for closing."""


class Lender:
    """Lends connections of a pool, in the order in which they are asked for, from those at hand if there are any.

    asyncpg 0.32 takes two tasks and three timers for each loan and its return, which is more than a short statement
    takes of ours. So what comes back from a statement without a failure stays at hand for the next. Once a second all
    of them go back.

    Nobody waits at the pool itself: its queue sends to its end whoever is overtaken between being woken and running, so
    that in a crowd some wait ten times as long as others, up to their time-out.
    """

    def __init__(self, pool: asyncpg.Pool, name: str, size: int, timeout_seconds: float) -> None:
        """`timeout_seconds` is how long a connection is waited for."""
        self.pool = pool
        self._timeout_seconds = timeout_seconds
        self._free = size
        """How many may still take one; while it is above zero, nobody waits."""
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._at_hand: list[Any] = []
        self._closed = False
        self._returning: asyncio.TimerHandle | None = None
        self._returns: set[asyncio.Task[None]] = set()
        self._use = PoolUse(name, size, pool.get_size, self._idle)

    @property
    def in_use(self) -> int:
        """How many are lent."""
        return self.pool.get_size() - self._idle()

    async def expire(self) -> None:
        """Use those that are open now no more, once they are given back."""
        await self.pool.expire_connections()
        await self._return_all()

    async def close(self, timeout_seconds: float) -> None:
        """Wait for what is lent to come back, then close all; after the time-out, close them anyway."""
        self._closed = True
        self._use.close()
        if self._returning is not None:
            self._returning.cancel()
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._return_all()
                if self._returns:
                    await asyncio.wait(self._returns)
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()

    async def take(self) -> Any:
        """A connection; DatabaseUnavailable where there is none in time. `left` is called once it was given back."""
        use, since_ns = self._use, perf_counter_ns()
        if self._free and self._at_hand and _is_open(self._at_hand[-1]):
            self._free -= 1
            use.took(since_ns)
            return self._at_hand.pop()
        use.waiting += 1
        try:
            async with asyncio.timeout(self._timeout_seconds):
                await self._enter()
                connection = await self._taken()
        except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.TooManyConnectionsError,
                asyncpg.CannotConnectNowError, asyncpg.InterfaceError) as error:  # fmt: skip
            use.refused += 1
            raise DatabaseUnavailable from error
        finally:
            use.waiting -= 1
        use.took(since_ns)
        return connection

    def keep(self, connection: Any) -> bool:
        """Have it at hand; False where it belongs into the pool at once."""
        if self._closed:
            return False
        self._at_hand.append(connection)
        if self._returning is None:
            self._returning = asyncio.get_running_loop().call_later(AT_HAND_SECONDS, self._begin_return)
        return True

    def left(self) -> None:
        """Let in who waits longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            # Whoever has stopped waiting is passed over.
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    async def _enter(self) -> None:
        """Wait until there is a connection to take, behind those who wait already."""
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                # Those who wait longest give up first, so it stands near the front; `left` may have passed it over.
                with suppress(ValueError):
                    self._waiting.remove(turn)
            else:
                # It was called off when it had been let in, and did not know yet.
                self.left()
            raise

    async def _taken(self) -> Any:
        """One from those at hand, or from the pool, which has one or room for one."""
        try:
            while self._at_hand:
                connection = self._at_hand.pop()
                if _is_open(connection):
                    return connection
                await self.pool.release(connection)
            return await self.pool.acquire(timeout=self._timeout_seconds)
        except BaseException:
            self.left()
            raise

    def _idle(self) -> int:
        return self.pool.get_idle_size() + len(self._at_hand)

    def _begin_return(self) -> None:
        self._returning = None
        task = asyncio.create_task(self._return_all())
        self._returns.add(task)
        task.add_done_callback(self._returns.discard)

    async def _return_all(self) -> None:
        returned, self._at_hand = self._at_hand, []
        for connection in returned:
            # One that has broken is replaced when the pool is asked for it.
            with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self.pool.release(connection)


class Loan:
    """A connection for the time of a block: of each statement, hence no generator, which takes longer.

    `stays` where the block is one statement. After a longer one it goes into the pool, which sees to it that who had it
    cannot use it any more.
    """

    __slots__ = ("_connection", "_lender", "_stays")

    def __init__(self, lender: Lender, *, stays: bool) -> None:
        self._lender = lender
        self._stays = stays

    async def __aenter__(self) -> Any:
        self._connection = await self._lender.take()
        return self._connection

    async def __aexit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            # After a failure, or where it was cancelled, the pool knows what is to be waited for, and what to close.
            if error is not None or not self._stays or not self._lender.keep(self._connection):
                await self._lender.pool.release(self._connection)
        finally:
            self._lender.left()


def _is_open(connection: Any) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:
        # The pool has taken it back: it was closed, and that was noticed.
        return False
