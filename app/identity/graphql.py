"""Who is asking, and API keys, in the graph."""

from collections.abc import Awaitable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import field

from app.budgets.loaders import BudgetsOfViewer
from app.budgets.models import Budget
from app.core.actor import Actor, Role, UserId
from app.core.ids import parse_global_id
from app.core.paging import Page, PageRequest
from app.graph.connections import After, Before, Connection, First, Last
from app.graph.context import Info
from app.graph.enums import described
from app.graph.inputs import input_type
from app.graph.nodes import Node
from app.graph.payloads import Changed, Payload, mutation
from app.graph.queries import query
from app.idempotency.graphql import KEY_DESCRIPTION, client_key
from app.identity.loaders import ApiKeyById, page_of_keys
from app.identity.models import ApiKey
from app.identity.pipeline import ApiKeyPipeline
from app.identity.values import ApiKeyId, ApiKeyScope, NewKey, NotRepeated

if TYPE_CHECKING:
    from app.budgets.graphql import BudgetType

DEFAULT_KEYS = 50

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
described(
    ApiKeyScope,
    "What an API key is for; each includes the one before.",
    {
        ApiKeyScope.READ: "To read: queries, subscriptions and downloads, and no mutation.",
        ApiKeyScope.WRITE: "To write, as the key's roles allow.",
        ApiKeyScope.ADMIN: "To act as an admin; only admins make such keys.",
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
    def budgets(self, info: Info, root: strawberry.Parent[Actor]) -> Awaitable[list[Budget]]:
        return info.context.loader(BudgetsOfViewer).load(root.user_id)


@strawberry.type(name="ApiKey", description="A key that lets its user in. Its text is told once, when it is made.")
class ApiKeyType(Node):
    user_id: str = field(description="The user inside the tenant whom it lets in.")
    name: str = field(description="What its maker calls it.")
    scope: ApiKeyScope = field(description="What it is for.")
    roles: list[Role] = field(description="What whoever comes in with it may do, by name, as far as the scope goes.")
    created_by: str = field(description="The user who made it.")
    created_at: datetime = field(description="When it was made.")
    last_used_at: datetime | None = field(description="When it let somebody in last, to the minute; null for never.")
    expires_at: datetime | None = field(description="From when on it lets nobody in; null for never.")
    revoked_at: datetime | None = field(description="When it was revoked; null where it was not.")
    revoked_by: str | None = field(description="The user who revoked it.")


@input_type("A new API key. It never has more rights than its maker has.")
class CreateApiKeyInput:
    name: str = field(description="What to call it: 1 to 200 characters.")
    scope: ApiKeyScope = field(description="What it is for.")
    roles: list[Role] | None = field(
        default=None, description="Which of your roles it has; by default all, and ADMIN with the scope ADMIN alone."
    )
    user_id: str | None = field(
        default=None, description="Whom it lets in: by default yourself, and for an admin any user of the tenant."
    )
    expires_at: datetime | None = field(default=None, description="From when on it lets nobody in; never by default.")
    client_key: str | None = field(
        default=None, description=f"{KEY_DESCRIPTION} The key's text is not told a second time."
    )


@input_type("An API key to revoke.")
class RevokeApiKeyInput:
    api_key_id: strawberry.ID = field(description="The key.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@strawberry.type(description="What createApiKey answers.")
class CreateApiKeyPayload(Payload):
    api_key: ApiKeyType | None = field(description="The key.")
    secret: str | None = field(
        description="Its text, to be sent as `Authorization: Bearer …`. It is stored nowhere and never told again."
    )


@strawberry.type(description="What revokeApiKey answers.")
class RevokeApiKeyPayload(Payload):
    api_key: ApiKeyType | None = field(description="The key as it is now.")


@strawberry.type
class IdentityQueries:
    @query(ViewerType, "Who you are to this server.")
    async def viewer(self, info: Info) -> Actor:
        return info.context.actor

    @query(
        Connection[ApiKeyType],
        "Your API keys, and for an admin all of the tenant, oldest first; 50 by default. Revoked ones stay.",
    )
    async def api_keys(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Page[ApiKey]:
        request = PageRequest.of(first, last, after, before, DEFAULT_KEYS)
        return await page_of_keys(info.context.database, info.context.actor, request)


@strawberry.type
class IdentityMutations:
    @mutation(
        CreateApiKeyPayload,
        "Make an API key for yourself; for an admin, for any user of the tenant. With a key, only one of the scope "
        "ADMIN makes others.",
    )
    async def create_api_key(self, info: Info, input: CreateApiKeyInput) -> Changed:
        context = info.context
        new = NewKey(
            input.name,
            input.scope,
            context.actor.user_id if input.user_id is None else UserId(input.user_id),
            None if input.roles is None else frozenset(input.roles),
            input.expires_at,
        )
        pipeline = context.service(ApiKeyPipeline)
        made = await pipeline.create(context.database, context.actor, new, client_key(info, input))
        api_key = await context.loader(ApiKeyById).load(made.key_id)
        objects = {"api_key": api_key, "secret": made.text.text if made.text else None}
        return Changed(objects, made.deduplicated, [NotRepeated()] if made.deduplicated else [])

    @mutation(
        RevokeApiKeyPayload,
        "Revoke an API key for good, your own or, for an admin, any of the tenant: nobody comes in by it any more, "
        "and sockets and streams that it let in are closed. One that is revoked stays as it is.",
    )
    async def revoke_api_key(self, info: Info, input: RevokeApiKeyInput) -> Changed:
        context = info.context
        key_id = ApiKeyId(parse_global_id(input.api_key_id, ApiKey.node_type, "apiKeyId"))
        pipeline = context.service(ApiKeyPipeline)
        deduplicated = await pipeline.revoke(context.database, context.actor, key_id, client_key(info, input))
        return Changed({"api_key": await context.loader(ApiKeyById).load(key_id)}, deduplicated)
