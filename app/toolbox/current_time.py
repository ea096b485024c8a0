"""The tool that tells the time."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.core.actor import Actor
from app.db.database import Database
from app.toolbox.errors import UnknownTimeZone

LONGEST_ZONE = 100
"""Characters; the longest name there is has about thirty."""


def _now() -> datetime:
    return datetime.now(UTC)


class CurrentTime:
    """Tells date and time, in UTC or in a time zone."""

    name = "current_time"
    description = "Tells the current date and time, with the day of the week, in UTC or in a time zone."
    parameters: Mapping[str, Any] = {
        "type": "object",
        "properties": {
            "time_zone": {
                "type": "string",
                "description": "A time zone by its IANA name, such as Europe/Lisbon; UTC where it is left out.",
                "maxLength": LONGEST_ZONE,
            }
        },
        "additionalProperties": False,
    }

    def __init__(self, now: Callable[[], datetime] = _now) -> None:
        self._now = now

    async def run(self, database: Database, actor: Actor, arguments: Mapping[str, Any]) -> str:  # noqa: ARG002
        """The time to the second, as ISO 8601, with the day and the zone. UnknownTimeZone."""
        name = arguments.get("time_zone") or "UTC"
        try:
            zone = ZoneInfo(name)
        # The name is looked up as a file: it may be none for many reasons.
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise UnknownTimeZone(name) from None
        local = self._now().astimezone(zone)
        return f"{local.isoformat(timespec='seconds')} ({local:%A}, {name})"
