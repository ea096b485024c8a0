"""Budgets in the graph."""

from datetime import datetime
from decimal import Decimal

import strawberry
from strawberry import field

from app.budgets.loaders import BudgetById, page_of_budgets
from app.budgets.models import Budget
from app.budgets.pipeline import BudgetPipeline
from app.budgets.values import BudgetId, BudgetPeriod, BudgetScope, NewBudget
from app.core.ids import new_id, parse_global_id
from app.core.paging import Page, PageRequest
from app.graph.connections import After, Before, Connection, First, Last
from app.graph.context import Info
from app.graph.enums import described
from app.graph.inputs import input_type
from app.graph.nodes import Node
from app.graph.payloads import Changed, Payload, mutation
from app.graph.queries import query
from app.graph.scalars import BigInt
from app.idempotency.graphql import KEY_DESCRIPTION, client_key

DEFAULT_BUDGETS = 50

described(
    BudgetScope,
    "Whose spending a budget counts together.",
    {
        BudgetScope.TENANT: "All of the tenant's.",
        BudgetScope.USER: "A user's; without a subject each user's by itself.",
        BudgetScope.MODEL: "All that is spent on a model; without a subject on each model by itself.",
    },
)
described(
    BudgetPeriod,
    "How long a budget counts before it begins at nothing again.",
    {
        BudgetPeriod.DAY: "A day of the calendar, in UTC.",
        BudgetPeriod.MONTH: "A month of the calendar, in UTC.",
    },
)


@strawberry.type(
    name="Budget",
    description="A limit of what may be spent in a day or a month, and how it stands. Of a budget of each user the "
    "figures are yours, of one of each model those of the model that has used the most of it.",
)
class BudgetType(Node):
    scope: BudgetScope = field(description="Whose spending it counts together.")
    subject: str | None = field(description="The user or the model; null for each by themselves, and for the tenant.")
    period: BudgetPeriod = field(description="How long it counts.")
    limit_cost: Decimal | None = field(description="The most that may be spent, in US dollars; null for no such limit.")
    limit_tokens: BigInt | None = field(description="The most tokens that may be used; null for no such limit.")
    period_starts_at: datetime = field(description="When the present period began.")
    resets_at: datetime = field(description="When it ends, and the next begins at nothing.")
    used_by: str | None = field(
        description="The user or model that the figures are of; null for the tenant, and where nothing was spent yet."
    )
    spent_cost: Decimal = field(description="What was spent, as far as prices are known.")
    spent_tokens: BigInt = field(description="The tokens that were used.")
    unpriced_tokens: BigInt = field(description="Those of them whose price is not known: they are not in `spentCost`.")
    reserved_cost: Decimal = field(description="What answers that go on may still come to.")
    reserved_tokens: BigInt = field(description="The tokens that they may still use.")
    remaining_cost: Decimal | None = field(description="What is neither spent nor reserved; null without the limit.")
    remaining_tokens: BigInt | None = field(description="What is neither used nor reserved; null without the limit.")
    created_at: datetime = field(description="When it was set first.")
    updated_at: datetime = field(description="When its limits were set last.")


@input_type("A budget, from now on. The one about the same scope, subject and period gets the new limits.")
class SetBudgetInput:
    scope: BudgetScope = field(description="Whose spending it counts together.")
    period: BudgetPeriod = field(description="How long it counts.")
    subject: str | None = field(
        default=None, description="The user, or the model as `provider:model`; by default each by themselves."
    )
    limit_cost: Decimal | None = field(default=None, description="The most that may be spent, in US dollars.")
    limit_tokens: BigInt | None = field(
        default=None, description="The most tokens, read and written. One of the two limits is needed."
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("A budget to delete.")
class DeleteBudgetInput:
    budget_id: strawberry.ID = field(description="The budget.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@strawberry.type(description="What setBudget answers.")
class SetBudgetPayload(Payload):
    budget: BudgetType | None = field(description="The budget as it is now.")


@strawberry.type(description="What deleteBudget answers.")
class DeleteBudgetPayload(Payload):
    deleted_budget_id: strawberry.ID | None = field(description="The id that no longer names a budget.")


@strawberry.type
class BudgetQueries:
    @query(
        Connection[BudgetType],
        "Budgets that bind you, and for an admin all of the tenant, oldest first; 50 by default.",
    )
    async def budgets(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Page[Budget]:
        request = PageRequest.of(first, last, after, before, DEFAULT_BUDGETS)
        return await page_of_budgets(info.context.database, info.context.actor, request)


@strawberry.type
class BudgetMutations:
    @mutation(SetBudgetPayload, "Limit what may be spent in a day or a month; for admins.")
    async def set_budget(self, info: Info, input: SetBudgetInput) -> Changed:
        context = info.context
        new = NewBudget(
            BudgetId(new_id()), input.scope, input.subject, input.period, input.limit_cost, input.limit_tokens
        )
        pipeline = context.service(BudgetPipeline)
        outcome = await pipeline.set(context.database, context.actor, new, client_key(info, input))
        budget = await context.loader(BudgetById).load(outcome.budget_id) if outcome.budget_id else None
        return Changed({"budget": budget}, outcome.deduplicated)

    @mutation(DeleteBudgetPayload, "Lift a limit, and forget what was counted of it; for admins.")
    async def delete_budget(self, info: Info, input: DeleteBudgetInput) -> Changed:
        context = info.context
        budget_id = BudgetId(parse_global_id(input.budget_id, Budget.node_type, "budgetId"))
        pipeline = context.service(BudgetPipeline)
        outcome = await pipeline.delete(context.database, context.actor, budget_id, client_key(info, input))
        return Changed({"deleted_budget_id": input.budget_id}, outcome.deduplicated)
