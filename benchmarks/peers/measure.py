"""Loads in turns: each side in each round, so that whatever else the machine does meets all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.cluster import Cluster
from benchmarks.conversations import USER
from benchmarks.load_client import Load, Task, put_load
from benchmarks.machine import cpu_seconds
from benchmarks.peers.questions import Question
from benchmarks.peers.sides import ANCHOR, Side

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side did in one round; the milliseconds of processors are those of an answer."""

    load: Load
    server_ms: float
    postgres_ms: float


@dataclass(frozen=True, slots=True)
class Spread:
    """A ratio in several rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, rates: Sequence[float], anchor: Sequence[float]) -> "Spread":
        """Round by round; there is at least one."""
        ratios = [ours / theirs for ours, theirs in zip(rates, anchor, strict=True)]
        return cls(median(ratios), min(ratios), max(ratios))


@dataclass(slots=True)
class Measured:
    """One question at one number of clients: the turns of each side by its name, one for each round."""

    question: Question
    clients: int
    turns: dict[str, list[Turn]] = field(default_factory=dict)

    def typical(self, side: str, figure: Callable[[Turn], float]) -> float:
        """The median of the rounds."""
        return median(figure(turn) for turn in self.turns[side])

    def against_anchor(self, side: str) -> Spread:
        """How many times the anchor's rate."""
        return Spread.of(self._rates(side), self._rates(ANCHOR))

    def _rates(self, side: str) -> list[float]:
        return [turn.load.per_second for turn in self.turns[side]]


@dataclass(frozen=True, slots=True)
class Effort:
    """How long and how often. Programs get faster while they run: for a while nothing counts."""

    rounds: int
    seconds: float
    warm_up_seconds: float


@dataclass(frozen=True, slots=True)
class Bench:
    """What is measured on, and how."""

    cluster: Cluster
    sides: Sequence[Side]
    effort: Effort
    say: Say

    async def warm_up(self, question: Question, clients: int) -> None:
        """Ask every side for a while, for its program and for the statements that each connection prepares."""
        for side in self.sides:
            self.say(f"{question.name}: warming up {side.name}")
            await self._turn(question, clients, side, self.effort.warm_up_seconds)

    async def measure(self, question: Question, clients: int) -> Measured:
        """The rounds, in each of which every side has its turn."""
        found = Measured(question, clients, {side.name: [] for side in self.sides})
        for number in range(1, self.effort.rounds + 1):
            for side in self.sides:
                self.say(f"{question.name}, {of_clients(clients)}: round {number} of {self.effort.rounds}, {side.name}")
                found.turns[side.name].append(await self._turn(question, clients, side, self.effort.seconds))
        return found

    async def _turn(self, question: Question, clients: int, side: Side, seconds: float) -> Turn:
        task = Task(side.server.port, USER, side.ask(question), question.expected, clients, seconds)
        server, postgres = cpu_seconds(side.server.pid), self.cluster.cpu_seconds()
        load = await put_load(task)
        return Turn(
            load,
            (cpu_seconds(side.server.pid) - server) * 1000 / load.answers,
            (self.cluster.cpu_seconds() - postgres) * 1000 / load.answers,
        )


def of_clients(number: int) -> str:
    """In words."""
    return "1 client" if number == 1 else f"{number} clients"
