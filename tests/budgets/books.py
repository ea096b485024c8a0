"""Short ways to set budgets, to spend from them, and to look at what is kept of them."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.budgets.pipeline import BudgetPipeline
from app.budgets.values import BudgetId, BudgetPeriod, BudgetScope, NewBudget
from app.core.actor import Actor
from app.core.ids import new_id
from app.db.database import Database
from app.llm.port import Usage
from app.runs import service
from app.runs.accounts import Accounts
from app.runs.loaders import spent_since
from app.runs.models import Run
from app.runs.pipeline import RunPipeline
from app.runs.service import Claimed
from app.runs.values import Asked, Ending, RunStatus, Wanted
from app.sessions.values import SessionId
from tests.conftest import an_actor
from tests.conversations import rows
from tests.fakes import in_view

MODEL, OTHER_MODEL = "local:echo", "local:extractive"


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars a token, by the model's name; of one that is not there nobody knows the price."""

    of: dict[str, Decimal]

    def __call__(self, provider: str, model: str, usage: Usage) -> Decimal | None:
        """What a model costs for usage: reading as much as writing."""
        price = self.of.get(model)
        return None if price is None else price * usage.total


CENT = Prices({"echo": Decimal("0.01"), "extractive": Decimal("0.02")})


async def set_budget(
    database: Database,
    scope: BudgetScope = BudgetScope.TENANT,
    subject: str | None = None,
    *,
    period: BudgetPeriod = BudgetPeriod.DAY,
    tokens: int | None = None,
    cost: Decimal | None = None,
    tenant: str = "default",
) -> BudgetId:
    """The id of a budget that an admin sets."""
    new = NewBudget(BudgetId(new_id()), scope, subject, period, cost, tokens)
    outcome = await BudgetPipeline(spent_since).set(database, an_actor("system", tenant), new, None)
    assert outcome.budget_id is not None
    return outcome.budget_id


async def send(
    runs: RunPipeline,
    database: Database,
    actor: Actor,
    most: int | None = 100,
    *,
    session_id: SessionId | None = None,
    model: str = MODEL,
    **more: Any,
) -> Run:
    """A run that may write so many tokens."""
    asked = Asked(session_id, "Hello?", Wanted(model, max_output_tokens=most), **more)
    return (await runs.send(database, actor, asked, None)).run


async def begin(database: Database, accounts: Accounts, run: Run, prompt_tokens: int = 10) -> Claimed | None:
    """Take a run as a worker does that has read so much."""
    return await database.transact(
        lambda uow: service.claim(uow, accounts, service.ref_of(run), in_view(prompt_tokens))
    )


async def finish(
    database: Database,
    accounts: Accounts,
    claimed: Claimed,
    usage: Usage | None,
    status: RunStatus = RunStatus.COMPLETED,
) -> None:
    """End a claimed run as its worker does, with what the provider counted."""
    ending = Ending(status, usage=usage)
    assert await database.transact(lambda uow: service.finish(uow, accounts, claimed, ending)) is not None


async def standing(dsn: str) -> list[dict[str, Any]]:
    """What is counted, a row for each budget, period and subject."""
    return [
        dict(row)
        for row in await rows(
            dsn,
            "SELECT u.*, b.scope FROM budget_usage u JOIN budgets b ON b.id = u.budget_id "
            "ORDER BY b.id, period_start, u.user_id, u.model",
        )
    ]


async def figures(dsn: str) -> list[tuple[int, int]]:
    """Tokens that are spent and reserved, of each row."""
    return [(row["spent_tokens"], row["reserved_tokens"]) for row in await standing(dsn)]


async def reserved_runs(dsn: str) -> int:
    """How many reservations there are."""
    [[found]] = await rows(dsn, "SELECT count(*) FROM budget_reservations")
    return int(found)
