"""The gate: a piece of a statement that lets a request through once."""

from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, DateTime, LargeBinary, Text, Uuid, cast, exists, literal, or_, select
from sqlalchemy.dialects.postgresql import insert

from app.db.base import table_of
from app.db.statement import param
from app.idempotency.models import ClientKeyRow
from app.idempotency.values import ClientKey

_keys = table_of(ClientKeyRow)


def gate(allowed: ColumnElement[bool], *, lasting: bool = False) -> CTE:
    """Insert the client's key where `allowed` holds; no row when it was used before, or when there is no key.

    `allowed` is what the rest of the statement demands too (the session is the actor's …): a request that is refused
    does not use up its key. Parameters: tenant_id, user_id, client_key and body_hash (None without a key), subject_id.
    Of two at once with one key the second waits here for the first's end, then finds the key.
    A `lasting` key is never forgotten: what it was used for may come again after years.
    """
    row: dict[str, Any] = {
        "tenant_id": param("tenant_id", Text), "user_id": param("user_id", Text), "key": param("client_key", Text),
        "body_hash": param("body_hash", LargeBinary), "subject_id": param("subject_id", Uuid),
    }  # fmt: skip
    if lasting:
        row["created_at"] = cast(literal("infinity", Text), DateTime(timezone=True))
    given = select(*row.values()).where(param("client_key", Text).is_not(None), allowed)
    return (
        insert(_keys)
        .from_select(list(row), given)
        .on_conflict_do_nothing()
        .returning(literal(1).label("passed"))
        .cte("gate")
    )


def gate_parameters(key: ClientKey | None, subject_id: UUID) -> dict[str, object]:
    """The parameters of the gate, save who asks: the key and the row that is made or changed."""
    return {"client_key": key and key.key, "body_hash": key and key.body_hash, "subject_id": subject_id}


def passed(gate: CTE) -> ColumnElement[bool]:
    """Whether the statement goes on: its key was new, or it has none."""
    return or_(param("client_key", Text).is_(None), exists(select(gate.c.passed)))
