"""Who is asking, in the graph."""

from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import field

from app.budgets.loaders import BudgetsOfViewer
from app.budgets.models import Budget
from app.core.actor import Actor, Role
from app.graph.context import Info
from app.graph.enums import described
from app.graph.queries import query

if TYPE_CHECKING:
    from app.budgets.graphql import BudgetType

BudgetNode = Annotated["BudgetType", strawberry.lazy("app.budgets.graphql")]

described(
    Role,
    "What a user may do inside the tenant; roles add up.",
    {
        Role.MEMBER: "Has sessions of their own, and reads what the tenant shares.",
        Role.EDITOR: "Changes what the tenant shares.",
        Role.REVIEWER: "Decides reviews.",
        Role.ADMIN: "Reads what all users of the tenant own.",
    },
)


@strawberry.type(name="Viewer", description="Who is asking.")
class ViewerType:
    tenant_id: str = field(description="The tenant that every row they see belongs to.")
    user_id: str = field(description="The user inside the tenant.")

    @field(graphql_type=list[Role], description="What they may do, by name.")
    def roles(self, root: strawberry.Parent[Actor]) -> list[Role]:
        return sorted(root.roles)

    @field(
        graphql_type=list[BudgetNode],
        description="What limits what you may spend: the tenant's budgets, yours, and those of models; at most 100.",
    )
    async def budgets(self, info: Info, root: strawberry.Parent[Actor]) -> list[Budget]:
        return await info.context.loader(BudgetsOfViewer).load(root.user_id)


@strawberry.type
class IdentityQueries:
    @query(ViewerType, "Who you are to this server.")
    async def viewer(self, info: Info) -> Actor:
        return info.context.actor
