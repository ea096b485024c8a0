"""Ratios: two ways to do the same work, measured in turns, so that whatever else the machine does meets both."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from statistics import median

from benchmarks.cluster import Cluster

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how large."""

    rounds: int = 5
    seconds: float = 3.0
    listed_sessions: int = 100_000
    streams: int = 200


QUICK = Effort(rounds=2, seconds=0.2, listed_sessions=5_000, streams=5)
"""Shows that everything runs; the figures say nothing."""


@dataclass(frozen=True, slots=True)
class Side:
    """One way to do the work: what it is called, and how often it is done in a second when it is tried once more."""

    name: str
    rate: Callable[[], Awaitable[float]]


@dataclass(slots=True)
class Comparison:
    """The rates of two sides, round by round."""

    title: str
    ours: str
    anchor: str
    wanted: str
    our_rates: list[float] = field(default_factory=list)
    anchor_rates: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Ours to the anchor, of each round."""
        return [ours / anchor for ours, anchor in zip(self.our_rates, self.anchor_rates, strict=True)]

    def as_json(self) -> dict[str, object]:
        """Everything, with the ratio that is quoted: the median of the rounds, between the least and the most."""
        ratios = self.ratios
        return {
            "title": self.title,
            "ours": {"name": self.ours, "per_second": self.our_rates},
            "anchor": {"name": self.anchor, "per_second": self.anchor_rates},
            "ratio": {"median": median(ratios), "min": min(ratios), "max": max(ratios)},
            "wanted": self.wanted,
            "notes": self.notes,
        }


@dataclass(frozen=True, slots=True)
class Bench:
    """What every benchmark is given."""

    cluster: Cluster
    effort: Effort
    say: Say

    async def compare(self, title: str, ours: Side, anchor: Side, wanted: str) -> Comparison:
        """Measure both sides in turns: ours, anchor, ours, anchor …"""
        found = Comparison(title, ours.name, anchor.name, wanted)
        for number in range(1, self.effort.rounds + 1):
            for side, rates in ((ours, found.our_rates), (anchor, found.anchor_rates)):
                self.say(f"{title}: round {number} of {self.effort.rounds}, {side.name}")
                rates.append(await side.rate())
        return found


Benchmark = Callable[[Bench], Awaitable[list[Comparison]]]
