"""Chance that is the same for the same seed: ids, names, models, and when people write."""

from bisect import bisect
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from app.core.actor import UserId
from app.identity.values import SYSTEM_USER
from app.seeding.values import Model, SeedPlan

T = TypeVar("T")

_GIVEN = (
    "anna", "liam", "mei", "noah", "sofia", "jonas", "yuki", "elena", "omar", "clara", "lucas", "ines", "felix",
    "amara", "hugo", "nadia", "paul", "lena", "ravi", "marta",
)  # fmt: skip
_FAMILY = (
    "keller", "obrien", "tanaka", "moreau", "silva", "weber", "rossi", "novak", "okafor", "lindqvist", "chen", "garcia",
    "haddad", "berger", "kowalski", "sato", "martin",
)  # fmt: skip

MODELS = (
    Model("openai", "gpt-4o-mini", 9), Model("openai", "gpt-4o", 14), Model("openai", "gpt-5-mini", 11, reasons=0.8),
    Model("anthropic", "claude-sonnet-4-5", 16), Model("anthropic", "claude-haiku-4-5", 8),
)  # fmt: skip
_MODEL_WEIGHTS = (30, 18, 16, 24, 12)

_HOURS = (1, 1, 0, 0, 0, 1, 3, 8, 18, 26, 28, 24, 14, 20, 26, 26, 22, 16, 9, 8, 9, 8, 5, 2)
"""Of a day in UTC: two peaks around lunch, and a small one after dinner."""
_WEEKDAYS = (10, 11, 11, 10, 8, 3, 2)
_GROWTH = 2.0
"""The last day has three times the sessions of the first."""


def source(plan: SeedPlan, *about: object) -> Random:
    """Chance of its own for a part of the world: parts do not depend on each other."""
    return Random("/".join(str(part) for part in (plan.tenant, plan.seed, *about)))  # noqa: S311 - no secret


def seeded_id(chance: Random, at: datetime) -> UUID:
    """A UUIDv7 of a moment."""
    milliseconds = int(at.timestamp() * 1000)
    noise = chance.getrandbits(74)
    return UUID(int=milliseconds << 80 | 0x7 << 76 | (noise >> 62) << 64 | 0b10 << 62 | noise & (1 << 62) - 1)


def first_session_id(plan: SeedPlan) -> UUID:
    """The id of the session by which a later run knows this one: of the seed alone, whatever the time."""
    return uuid5(NAMESPACE_URL, f"colloquy:seed:{plan.tenant}:{plan.seed}")


def users_of(plan: SeedPlan) -> list[UserId]:
    """Who writes. The first is who asks where authentication is off: the playground shows something at once."""
    names = (f"{given}.{family}" for round_ in range(len(_FAMILY)) for given, family in _pairs(round_))
    found = [SYSTEM_USER, *(UserId(next(names, "") or f"guest.{n}") for n in range(1, plan.users))]
    return found[: plan.users]


def _pairs(round_: int) -> list[tuple[str, str]]:
    return [(given, _FAMILY[(place + round_) % len(_FAMILY)]) for place, given in enumerate(_GIVEN)]


def user_of(users: Sequence[UserId], chance: Random) -> UserId:
    """One of them: the first write most, the last little."""
    return users[min(int(chance.paretovariate(0.9)) - 1, len(users) - 1) if chance.random() < 0.8 else
                 chance.randrange(len(users))]  # fmt: skip


def model_of(chance: Random) -> Model:
    """One of the models."""
    return weighted(MODELS, _MODEL_WEIGHTS, chance)


def weighted(things: Sequence[T], weights: tuple[float, ...], chance: Random) -> T:
    """One of them, as often as it weighs; choices() would sum the weights up each time."""
    sums = _sums(weights)
    return things[bisect(sums, chance.random() * sums[-1], 0, len(things) - 1)]


@lru_cache(maxsize=64)
def _sums(weights: tuple[float, ...]) -> list[float]:
    return list(accumulate(weights))


def a_moment(plan: SeedPlan, chance: Random, before_the_end: timedelta) -> datetime:
    """A moment of the plan's days, at least so long before their end: in working hours, most of them on weekdays."""
    end = plan.now.astimezone(UTC) - before_the_end
    first = (end - timedelta(days=plan.days - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    weights = tuple(_WEEKDAYS[(first + timedelta(days=day)).weekday()] for day in range(plan.days))
    day, hour = weighted(range(plan.days), weights, chance), weighted(range(24), _HOURS, chance)
    return min(first + timedelta(days=day, hours=hour, milliseconds=chance.randrange(3_600_000)), end)


def beginnings(plan: SeedPlan) -> list[datetime]:
    """When the sessions begin, in their order: in working hours, on weekdays, more and more of them.

    The latest is an hour ago. Moments are whole milliseconds, as clients have them.
    """
    chance = source(plan, "beginnings")
    end = plan.now.astimezone(UTC) - timedelta(hours=1)
    first = (end - timedelta(days=plan.days - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    days = tuple(
        _WEEKDAYS[(first + timedelta(days=day)).weekday()] * (1 + _GROWTH * day / plan.days) for day in range(plan.days)
    )
    found = []
    for _ in range(plan.sessions):
        day = weighted(range(plan.days), days, chance)
        hour = weighted(range(24), _HOURS, chance)
        at = first + timedelta(days=day, hours=hour, milliseconds=chance.randrange(3_600_000))
        # What would be in the rest of today was yesterday.
        found.append(at if at <= end else max(at - timedelta(days=1), first))
    return sorted(min(at, end.replace(microsecond=0)) for at in found)
