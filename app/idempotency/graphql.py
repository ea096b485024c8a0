"""The client key of a mutation's input."""

from typing import Annotated, Protocol

import strawberry

from app.graph.context import Info
from app.graph.payloads import as_json
from app.idempotency.values import ClientKey

KEY_DESCRIPTION = (
    "A key of your choice for this request, at most 200 characters: sent again with the same input it is done once and "
    "answered as before; with another input it is refused."
)

ClientKeyField = Annotated[str | None, strawberry.argument(description=KEY_DESCRIPTION)]


class Keyed(Protocol):
    """An input that may carry a key."""

    client_key: str | None


def client_key(info: Info, input_: Keyed) -> ClientKey | None:
    """The key that came with an input, bound to the mutation and to everything else in the input."""
    body = as_json(input_)
    key = body.pop("clientKey", None)
    return ClientKey.of(key, info.field_name, body)
