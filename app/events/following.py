"""Following what happens to a session or a project: its history from a position, then live, without a gap."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from app.core.actor import Actor
from app.core.errors import InvalidCursor
from app.core.text import require_range
from app.db.database import Database
from app.events.loaders import last_number
from app.events.models import Event
from app.events.values import ENDS
from app.streams.feed import Feed
from app.streams.values import StreamKey


class UnknownNumber(InvalidCursor):
    """A number that the stream has not reached: most likely one of another stream."""

    def __init__(self, last: int) -> None:
        super().__init__(
            f"this stream has only got to number {last}",
            field="after",
            hint="pass the seq of the last event you kept of it, 0 for all of them, or leave it out for new ones",
        )


@dataclass(frozen=True, slots=True)
class HappenedEvents:
    """One per process: the streams of events that are followed here."""

    database: Database
    feed: Feed[Event]

    async def follow(self, actor: Actor, stream: StreamKey, after: int | None) -> AsyncGenerator[Event, None]:
        """What happened after `after`, then what happens, in order; without a number, only what happens from now on.

        Whether the actor may read the stream is settled before. Ends with the deletion of what the stream is about.
        UnknownNumber, ValidationError.
        """
        require_range(after, "after", at_least=0, at_most=2**63 - 1)
        async with self.database.read() as scope:
            last = await last_number(scope, actor, stream.id)
        if after is not None and not 0 <= after <= last:
            raise UnknownNumber(last)
        async with aclosing(self.feed.follow(stream, last if after is None else after)) as batches:
            async for batch in batches:
                for event in batch:
                    yield event
                    if event.kind in ENDS:
                        return
