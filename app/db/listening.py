"""The process's one connection for LISTEN: it comes back by itself, and says when something may have been missed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from random import uniform
from typing import Any, Self

import asyncpg
import structlog

KEEP_ALIVE_SECONDS = 5.0
"""How often the connection is asked whether it lives, and how long the answer may take: a network that fell silent
tells nobody, and what is sent meanwhile is heard by no one."""

LONGEST_PAUSE_SECONDS = 5.0
"""Between two attempts to connect: a database that comes back is heard again soon, and is not stormed."""

log = structlog.get_logger("colloquy.listener")

Heard = Callable[[str], None]
Missed = Callable[[], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Ear:
    heard: Heard
    missed: Missed


class Listener:
    """Hears notifications on a connection of its own, which must not go through a transaction pooler.

    Callbacks are called in the event loop and must not take long.
    """

    def __init__(
        self, dsn: str, connect_timeout_seconds: float = 2.0, *, keep_alive_seconds: float = KEEP_ALIVE_SECONDS
    ) -> None:
        self._dsn = dsn
        self._connect_timeout_seconds = connect_timeout_seconds
        self._keep_alive_seconds = keep_alive_seconds
        self._ears: dict[str, list[_Ear]] = {}
        self._hearing: set[str] = set()
        self._stirred = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.connected = False
        """Whether every channel is listened to, as far as this process knows."""

    async def start(self) -> None:
        """Begin to connect; a server that cannot be reached is tried for ever."""
        if self._task is None:
            self._task = asyncio.create_task(self._stay_connected(), name="listener")

    async def close(self) -> None:
        """Leave the server; callbacks are not called any more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def listen(self, channel: str, heard: Heard, missed: Missed) -> Callable[[], None]:
        """Call `heard` with the payload of every notification on `channel`, until what is returned here is called.

        `missed` is called each time the channel begins to be heard, at first and after a lost connection: what was sent
        before may have been lost, so whoever keeps up with something reads it again.
        """
        ear = _Ear(heard, missed)
        self._ears.setdefault(channel, []).append(ear)
        self._stirred.set()

        def unlisten() -> None:
            ears = self._ears.get(channel, [])
            if ear in ears:
                ears.remove(ear)
            if not ears:
                self._ears.pop(channel, None)
            self._stirred.set()

        return unlisten

    async def _stay_connected(self) -> None:
        attempt = 0
        while True:
            try:
                async with self._connection() as connection:
                    await self._agree(connection)
                    attempt = 0
                    await self._serve(connection)
            except Exception as error:
                # Whatever it is, only another connection helps; the text may quote the address, so it is not told.
                log.warning("listening ended", error=type(error).__name__, attempt=attempt)
            attempt += 1
            await asyncio.sleep(_pause_seconds(attempt))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        connection = await asyncpg.connect(
            self._dsn,
            timeout=self._connect_timeout_seconds,
            command_timeout=self._keep_alive_seconds,
            server_settings={"application_name": "colloquy-listener"},
        )
        connection.add_termination_listener(lambda _: self._stirred.set())
        self._hearing.clear()
        try:
            yield connection
        except Exception:
            connection.terminate()
            raise
        finally:
            self.connected = False
            with suppress(Exception):
                await connection.close(timeout=self._connect_timeout_seconds)

    async def _serve(self, connection: Any) -> None:
        while not connection.is_closed():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._keep_alive_seconds):
                    await self._stirred.wait()
            if self._stirred.is_set():
                await self._agree(connection)
            else:
                await connection.execute("SELECT 1")
        raise ConnectionResetError("the server ended the connection")

    async def _agree(self, connection: Any) -> None:
        """Listen to what is wanted and to nothing else."""
        self._stirred.clear()
        for channel in self._hearing - self._ears.keys():
            await connection.remove_listener(channel, self._on_notification)
            self._hearing.discard(channel)
        begun = self._ears.keys() - self._hearing
        for channel in begun:
            await connection.add_listener(channel, self._on_notification)
            self._hearing.add(channel)
        self.connected = not connection.is_closed()
        # Only now: whoever reads again upon this must not do so before the channel is heard.
        for channel in begun:
            for ear in tuple(self._ears.get(channel, ())):
                self._call(channel, ear.missed)

    def _on_notification(self, _connection: object, _pid: object, channel: str, payload: str) -> None:
        for ear in tuple(self._ears.get(channel, ())):
            self._call(channel, ear.heard, payload)

    def _call(self, channel: str, callback: Callable[..., None], *arguments: str) -> None:
        try:
            callback(*arguments)
        except Exception:
            log.exception("a listener failed", channel=channel)


def _pause_seconds(attempt: int) -> float:
    # Jitter, so that the processes of a cluster do not come back in step.
    return uniform(0.5, 1.0) * min(LONGEST_PAUSE_SECONDS, 0.1 * 2.0 ** min(attempt, 10))  # noqa: S311 - no secret
