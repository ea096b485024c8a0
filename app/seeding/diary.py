"""The time in a session, its events in their order, and ids."""

from datetime import timedelta
from random import Random
from uuid import UUID

from app.core.actor import TenantId
from app.core.ids import global_id
from app.events.values import EventKind
from app.seeding.chance import seeded_id
from app.seeding.rows import EventRow, Rows
from app.seeding.values import Story


class Diary:
    """Of one session. Events are added to `rows`."""

    def __init__(self, tenant: TenantId, story: Story, chance: Random, rows: Rows) -> None:
        self.tenant, self.story, self.rows = tenant, story, rows
        self.at = story.began_at
        self.events = 0
        """How many were told."""
        self._chance = chance

    def wait(self, milliseconds: int) -> None:
        """Let time pass."""
        self.at += timedelta(milliseconds=milliseconds)

    def new_id(self) -> UUID:
        """An id of this moment."""
        return seeded_id(self._chance, self.at)

    def tell(self, kind: EventKind, payload: dict[str, object]) -> None:
        """Something happens now."""
        self.events += 1
        story = self.story
        self.rows[EventRow].append(
            EventRow(
                self.tenant, story.session_id, self.events, kind, payload, story.user, story.user, story.correlation,
                self.at,
            )
        )  # fmt: skip


def message_name(message_id: UUID) -> str:
    """What events call a message."""
    return global_id("ChatMessage", message_id)
