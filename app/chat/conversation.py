"""A conversation: what is said next, what is asked again, and an answer that can be called off while it comes."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass

from app.chat.api import Api
from app.chat.errors import Refused
from app.chat.screen import Screen
from app.chat.values import Appended, Begun, CalledTool, Earlier, Ended, Ending, NextTurn, Replaced, Waiting


class Stopped(Exception):
    """The person has stopped waiting, before there was an end to be told."""


class NothingYet(Refused):
    """There is no answer that could be asked for again."""

    def __init__(self) -> None:
        super().__init__("nothing was asked yet")


@dataclass(slots=True)
class Conversation:
    """Of one person with one server, in one session once there is one."""

    api: Api
    screen: Screen
    model: str | None = None
    session_id: str | None = None
    last: Begun | None = None
    ending: Ending | None = None
    """How the last run ended; None while that is not known."""
    called_off: bool = False
    """Whether the person has called off the last answer."""
    follows: Begun | None = None
    """What is being shown; None while it is not yet known to be asked for."""

    def go_on_with(self, session_id: str, earlier: Earlier) -> None:
        """Take up a session."""
        self.session_id, self.last, self.ending = session_id, earlier.last, earlier.ending

    async def say(self, content: str) -> Ended:
        """Say something and show the answer."""
        return await self._answered(self.api.send(content, self.session_id, self.model))

    async def again(self) -> Ended:
        """Have the last question answered once more; NothingYet."""
        if self.last is None:
            raise NothingYet
        if self.ending in (None, Ending.COMPLETED):
            return await self._answered(self.api.regenerate(self.last, self.model))
        return await self._answered(self.api.retry(self.last))

    async def finish(self) -> Ended | None:
        """Show the answer that is being written already; None where there is none."""
        if self.last is None or self.ending is not None:
            return None
        return await self._answered(_known(self.last))

    async def _answered(self, begin: Awaitable[Begun]) -> Ended:
        """Show an answer until its end. Ctrl-C calls it off and shows what there is; a second one waits for nothing.

        Stopped, Refused, Away.
        """
        self.called_off, self.follows = False, None
        following = asyncio.create_task(self._follow(begin))
        cancelling: list[asyncio.Task[None]] = []

        def interrupted() -> None:
            if self.called_off or self.follows is None:
                following.cancel()
            else:
                cancelling.append(asyncio.create_task(self.api.cancel(self.follows)))
            self.called_off = True

        try:
            with _interrupts_go_to(interrupted):
                await asyncio.wait([following])
        finally:
            for task in (following, *cancelling):
                task.cancel()
            await asyncio.gather(following, *cancelling, return_exceptions=True)
            self.screen.end_line()
        if following.cancelled():
            raise Stopped
        return following.result()

    async def _follow(self, begin: Awaitable[Begun]) -> Ended:
        begun = await begin
        self.last, self.ending, self.session_id, self.follows = begun, None, begun.session_id, begun
        async with aclosing(self.api.follow(begun)) as told:
            async for event in told:
                match event:
                    case Appended(text):
                        self.screen.write(text)
                    case Replaced(text):
                        self.screen.note("(the answer was changed; it is)")
                        self.screen.write(text)
                    case CalledTool(name, arguments, awaiting):
                        self.screen.note(f"(calls {name} with {arguments})")
                        if awaiting is not None:
                            await self._decide(awaiting)
                    case NextTurn():
                        self.screen.end_line()
                    case Waiting():
                        self.screen.note("(the server is away; waiting for it)")
                    case Ended():
                        self.ending = event.ending
                        return event
        raise AssertionError("an answer has an end")

    async def _decide(self, execution_id: str) -> None:
        """Ask the person whether a call may be carried out: the answer waits for it."""
        approve = await self.screen.confirm("approve?")
        try:
            await self.api.decide(execution_id, approve=approve)
        except Refused as refusal:
            self.screen.note(f"({refusal})")


async def _known(begun: Begun) -> Begun:
    return begun


@contextmanager
def _interrupts_go_to(listener: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C calls the listener, for as long as the block runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, listener)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
