"""Small seeded worlds."""

from datetime import UTC, datetime

from app.core.actor import TenantId
from app.llm.prices import cost
from app.messages.pipeline import MessagePipeline
from app.seeding.chance import beginnings, users_of
from app.seeding.measures import Measures
from app.seeding.stories import StoryTeller
from app.seeding.values import SeedPlan

NOW = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)


def a_plan(
    *, seed: int = 2968, users: int = 4, sessions: int = 12, messages: int = 8, days: int = 20, projects: int = 0
) -> SeedPlan:
    """A plan of a few sessions, in which by chance everything happens that may."""
    return SeedPlan(TenantId("default"), seed, users, sessions, days, messages, NOW, projects)


def measures_of(pipeline: MessagePipeline) -> Measures:
    """As the command makes them."""
    return Measures(pipeline.detector, pipeline.count_tokens, cost)


def teller_of(plan: SeedPlan, measures: Measures) -> StoryTeller:
    """Who tells the sessions of a plan."""
    return StoryTeller(plan, users_of(plan), beginnings(plan), measures.count)
