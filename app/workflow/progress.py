"""How far a project is, and what it waits for: from how many attempts there are of each stage and status; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from app.prompts.values import Stage
from app.workflow.values import StageStatus, WaitsFor


@dataclass(frozen=True, slots=True)
class Amount:
    """How many attempts at one stage have one status."""

    stage: Stage
    status: StageStatus
    attempts: int
    """All there are."""
    counted: int
    """Those that count for the progress: of prompts, one for each story of the approved list."""
    newest_at: datetime | None
    """When the newest of those was asked for."""


@dataclass(frozen=True, slots=True)
class StageProgress:
    """How far one stage is. Of prompts the statuses count stories of the approved list, of other stages attempts."""

    stage: Stage
    status: StageStatus | None
    """Of the newest attempt that is not stale."""
    attempts: int
    pending: int
    generating: int
    awaiting_review: int
    approved: int
    rejected: int
    failed: int
    stale: int
    of: int
    """How many are to be approved; 0 while that is not known."""

    @property
    def finished(self) -> bool:
        """Whether all there is to be approved is."""
        return 0 < self.of <= self.approved


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a project waits for at one stage."""

    role: WaitsFor
    count: int
    stage: Stage


@dataclass(frozen=True, slots=True)
class ProjectProgress:
    """How far a project is."""

    stage: Stage
    """The first, in their order, that is not finished; the last where all are."""
    finished: bool
    stages: tuple[StageProgress, ...]
    waits_for: tuple[Waiting, ...]


def progress_of(amounts: Iterable[Amount], stories: int) -> ProjectProgress:
    """What the attempts of a project add up to; `stories` is how many the approved list has."""
    known = {(amount.stage, amount.status): amount for amount in amounts}
    stages = tuple(_stage(stage, known, stories if stage is Stage.PROMPT_GENERATION else 1) for stage in Stage)
    open_ = [stage for stage in stages if not stage.finished]
    waiting = [found for stage in stages for found in _decisions_and_models(stage.stage, known)]
    missing = _to_generate(open_[0]) if open_ else 0
    if missing:
        waiting.append(Waiting(WaitsFor.EDITOR, missing, open_[0].stage))
    return ProjectProgress((open_ or stages[-1:])[0].stage, not open_, stages, tuple(waiting))


def _stage(stage: Stage, known: Mapping[tuple[Stage, StageStatus], Amount], of: int) -> StageProgress:
    def counted(status: StageStatus) -> int:
        found = known.get((stage, status))
        return found.counted if found else 0

    there = [known[stage, status] for status in StageStatus if (stage, status) in known]
    dated = [(each.newest_at, each.status) for each in there if each.newest_at and each.status is not StageStatus.STALE]
    # Of those that were asked for at once, as prompts are, the one that is the least far: max() returns the first.
    newest = max(dated, key=itemgetter(0), default=None)
    return StageProgress(
        stage=stage,
        status=newest[1] if newest else None,
        attempts=sum(each.attempts for each in there),
        of=of,
        **{status.value: counted(status) for status in StageStatus},
    )


def _decisions_and_models(stage: Stage, known: Mapping[tuple[Stage, StageStatus], Amount]) -> list[Waiting]:
    def there(*statuses: StageStatus) -> int:
        return sum(known[stage, status].attempts for status in statuses if (stage, status) in known)

    counts = {
        WaitsFor.REVIEWER: there(StageStatus.AWAITING_REVIEW),
        WaitsFor.MODEL: there(StageStatus.PENDING, StageStatus.GENERATING),
    }
    return [Waiting(role, count, stage) for role, count in counts.items() if count]


def _to_generate(stage: StageProgress) -> int:
    """How many attempts somebody has to ask for, so that the stage goes on."""
    under_way = stage.pending + stage.generating + stage.awaiting_review
    if stage.stage is not Stage.PROMPT_GENERATION:
        return 0 if under_way else 1
    return max(stage.of - stage.approved - under_way, 0)
