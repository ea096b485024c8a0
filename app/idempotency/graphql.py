"""The client key of a mutation's input, and the transaction it guards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from app.db.scopes import UnitOfWork
from app.graph.context import Info
from app.graph.inputs import as_sent
from app.idempotency.values import ClientKey

KEY_DESCRIPTION = (
    "A key of your choice for this request, at most 200 characters: sent again with the same input it is done once and "
    "answered as before; with another input it is refused."
)


class Keyed(Protocol):
    """An input that may carry a key."""

    client_key: str | None


def client_key(info: Info, input_: Keyed, *, besides: frozenset[str] = frozenset()) -> ClientKey | None:
    """The key that came with an input, bound to the mutation and to everything else in the input.

    Save what stands `besides`: fields that change nothing of what is done.
    """
    if input_.client_key is None:
        return None
    body = {name: value for name, value in as_sent(input_).items() if name not in {"clientKey", *besides}}
    return ClientKey.of(input_.client_key, info.field_name, body)


@asynccontextmanager
async def keyed_write(info: Info, input_: Keyed) -> AsyncIterator[tuple[UnitOfWork, ClientKey | None]]:
    """The one statement of a mutation, and the key it is gated by; with a key it may be sent twice."""
    key = client_key(info, input_)
    async with info.context.database.single_statement(replayable=key is not None) as uow:
        yield uow, key
