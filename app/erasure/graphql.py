"""Erasing in the graph."""

import strawberry
from strawberry import field

from app.core.actor import UserId
from app.erasure.pipeline import ErasurePipeline
from app.graph.context import Info
from app.graph.inputs import input_type
from app.graph.payloads import Changed, Payload, mutation
from app.graph.scalars import BigInt
from app.idempotency.graphql import KEY_DESCRIPTION, client_key


@strawberry.type(name="ErasedRows", description="How many rows of one table were erased, or no longer name the user.")
class ErasedRowsType:
    table: str = field(description="The table.")
    amount: BigInt = field(name="count", description="How many.")


@input_type("A user to erase.")
class EraseUserInput:
    user_id: str = field(description="The user inside your tenant: yourself, or for an admin anybody.")
    client_key: str | None = field(
        default=None, description=f"{KEY_DESCRIPTION} Of a user who erases themselves it is not kept."
    )


@strawberry.type(description="What eraseUser answers.")
class EraseUserPayload(Payload):
    erased: list[ErasedRowsType] | None = field(
        description="What there was of the user, by table; empty when the same request had erased them before."
    )


@strawberry.type
class ErasureMutations:
    @mutation(
        EraseUserPayload,
        "Erase all there is of a user of your tenant, for good: sessions, history, keys, usage. Takes as many "
        "transactions as it needs; sent again after an interruption, it goes on.",
    )
    async def erase_user(self, info: Info, input: EraseUserInput) -> Changed:
        context = info.context
        key = client_key(info, input)
        pipeline = context.service(ErasurePipeline)
        erasure = await pipeline.erase(context.database, context.actor, UserId(input.user_id), key)
        return Changed({"erased": erasure.by_table}, erasure.deduplicated)
