"""What kinds of jobs there are to name, how often one is tried, and how a handler hands its job back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NewType

from app.core.settings import Settings

JobKind = NewType("JobKind", str)
"""Which handler runs a job: one word per kind, which must outlive a release, because jobs of the old one wait."""

Handler = Callable[[bytes], Awaitable[None]]
"""Runs one job from its payload, at least once: after a lost lease, a lost connection or a failure it runs again, and
perhaps beside the first run. What it writes must bear that."""

Chore = Callable[[], Awaitable[None]]
"""Runs what is due by the calendar; it, too, must bear to be run twice."""


class GiveBack(Exception):
    """Raised by a handler to hand its job back: another process, or this one, runs it after the delay.

    A job may be given back without end, but each time counts as an attempt if it fails later.
    """

    def __init__(self, delay_seconds: float = 0.0) -> None:
        super().__init__(f"given back, to be run after {delay_seconds} s")
        self.delay_seconds = delay_seconds


class JobDropped(Exception):
    """A job failed too often and is not run again. What happened is in the log of each failure."""


@dataclass(frozen=True, slots=True)
class JobSettings:
    """How many jobs run at once, and how soon a dead process's jobs are taken over."""

    lease_seconds: float = 6.0
    """A job whose process has not said for so long that it lives is run by another. The same for all processes."""
    most_at_once: int = 500
    poll_seconds: float = 1.0
    """How often one looks for jobs of which no notification came."""
    most_attempts: int = 8
    first_pause_seconds: float = 1.0
    """After a failure; twice as long after each further one, up to a minute."""
    unwind_seconds: float = 5.0
    """How long cancelled handlers may take to end, and a database that is away to come back, when a worker stops."""

    @classmethod
    def of(cls, settings: Settings) -> "JobSettings":
        """As the operator chose."""
        return cls(settings.job_lease_seconds, settings.runs_per_process)
