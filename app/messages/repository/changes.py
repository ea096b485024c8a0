"""Statements that change, end and delete messages."""

from collections.abc import Collection
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    Numeric,
    Text,
    any_,
    case,
    cast,
    exists,
    func,
    literal,
    select,
    update,
)

from app.core.actor import Actor
from app.core.ids import global_id
from app.db.scopes import UnitOfWork
from app.db.statement import Command, param
from app.events.fragments import event, event_parameters
from app.events.values import EventKind
from app.idempotency.fragments import gate, gate_parameters, passed
from app.idempotency.values import ClientKey
from app.messages.fragments import held, locked_message, messages, session_of
from app.messages.models import ChatMessage
from app.messages.values import UNFINISHED, MessageId, MessageRole, MessageStatus
from app.sessions.fragments import answer_counted, answer_ended, touched

_SPENT = ("token_count", "processing_time_ms")
"""What a message took, as the session counts it. It never becomes less, like the session's counters: what is told when
the message ends replaces what was told when it was begun, where it is more."""


_CLEARED: dict[str, Any] = {
    "content": "", "error_message": None, "intent_name": None, "intent_confidence": None, "intent_keywords": None,
    "context": {}, "streaming": {}, "custom_metadata": {}, "tool_call_count": 0,
    "attachment_count": 0,
}  # fmt: skip
"""What a tombstone no longer holds. Its tool calls and attachments are removed by triggers of their tables."""


@lru_cache(maxsize=64)
def _change(kind: EventKind, columns: frozenset[str]) -> Command[ChatMessage]:
    """Change columns of a message that is in one of the statuses `status_before`."""
    locked = locked_message()
    message = held(locked, locked.c.status == any_(param("status_before", ARRAY(Text))))
    through = gate(exists(select(message.c.id)))
    session = touched(session_of(message), passed(through), changes=_answer(message, columns))
    changed = (
        update(messages)
        .where(
            messages.c.tenant_id == session.c.tenant_id, messages.c.id == message.c.id,
            message.c.session_id == session.c.id,
        )
        .values(
            updated_at=session.c.updated_at,
            **{name: _new(name) for name in sorted(columns)},
            **(_gone(session) if kind is EventKind.MESSAGE_DELETED else {}),
        )
        .returning(*messages.c)
        .cte("message")
    )  # fmt: skip
    return Command(ChatMessage, select(*changed.c).add_cte(event(kind, stream=session)))


def _gone(session: CTE) -> dict[str, Any]:
    """What a tombstone says; one that was still expected is expected no more."""
    unfinished = messages.c.status.in_([literal(status.value, Text) for status in UNFINISHED])
    cancelled = case((unfinished, literal(MessageStatus.CANCELLED.value, Text)), else_=messages.c.status)
    return {"deleted_at": session.c.updated_at, "status": cancelled}


def _new(column: str) -> ColumnElement[Any]:
    given: ColumnElement[Any] = param(f"new_{column}", messages.c[column].type)
    return func.greatest(messages.c[column], given) if column in _SPENT else given


def _answer(message: CTE, columns: frozenset[str]) -> dict[str, Any]:
    """The session's changes that come with those of a message: its answer, and what it took, where that is told too."""
    if "status" not in columns:
        return {}
    begun_at = select(message.c.created_at).scalar_subquery()
    completed = exists(
        select(message.c.id).where(
            message.c.role == MessageRole.ASSISTANT.value,
            message.c.status != MessageStatus.COMPLETED.value,
            param("new_status", Text) == MessageStatus.COMPLETED.value,
        )
    )
    if not columns.issuperset(_SPENT):
        return answer_counted(begun_at, completed)
    tokens, duration_ms = (_more(message, name) for name in _SPENT)
    return answer_ended(begun_at, completed, tokens=tokens, cost=param("cost", Numeric), duration_ms=duration_ms)


def _more(message: CTE, column: str) -> ColumnElement[Any]:
    """How much comes on top of what the session counted when the message was appended."""
    before = select(func.coalesce(message.c[column], 0)).scalar_subquery()
    return cast(func.greatest(param(f"new_{column}", Integer) - before, 0), BigInteger)


async def update_columns(
    uow: UnitOfWork,
    actor: Actor,
    message_id: MessageId,
    changes: dict[str, Any],
    status_before: Collection[MessageStatus],
    key: ClientKey | None,
) -> ChatMessage | None:
    """Change columns of a message that is in one of the statuses named.

    None, and nothing changed, when there is no such message of the actor's, it is deleted or in another status, or the
    key was used before.
    """
    changed = await uow.run_one(
        _change(EventKind.MESSAGE_UPDATED, frozenset(changes)),
        **_on(actor, message_id, changes, status_before, key, _what_changed(changes)),
    )
    return _announced(uow, changed)


async def end(
    uow: UnitOfWork,
    actor: Actor,
    message_id: MessageId,
    changes: dict[str, Any],
    cost: Decimal | None,
    key: ClientKey | None,
) -> ChatMessage | None:
    """End a message that was stored unfinished; what it took, and `cost`, go to its session too.

    `changes` has its status and what it took (`_SPENT`), beside other columns. None as above, also when it has ended.
    """
    ended = await uow.run_one(
        _change(EventKind.MESSAGE_UPDATED, frozenset(changes)),
        cost=cost,
        **_on(actor, message_id, changes, UNFINISHED, key, _what_changed(changes)),
    )
    return _announced(uow, ended)


async def tombstone(uow: UnitOfWork, actor: Actor, message_id: MessageId, key: ClientKey | None) -> ChatMessage | None:
    """Clear a message, keeping its number and place. None as above, also when it is a tombstone already."""
    gone = await uow.run_one(
        _change(EventKind.MESSAGE_DELETED, frozenset(_CLEARED)),
        **_on(actor, message_id, _CLEARED, list(MessageStatus), key, {}),
    )
    if gone is not None:
        # Not a stream; but who writes the message is to hear that nobody wants it any more.
        uow.announce(message_id)
    return _announced(uow, gone)


def _announced(uow: UnitOfWork, changed: ChatMessage | None) -> ChatMessage | None:
    if changed is not None:
        uow.announce(changed.session_id)
    return changed


def _what_changed(changes: dict[str, Any]) -> dict[str, object]:
    facts: dict[str, object] = {"changed": sorted(changes)}
    if "status" in changes:
        facts["status"] = MessageStatus(changes["status"]).name
    return facts


def _on(
    actor: Actor,
    message_id: MessageId,
    changes: dict[str, Any],
    status_before: Collection[MessageStatus],
    key: ClientKey | None,
    facts: dict[str, object],
) -> dict[str, object]:
    return {
        "message_id": message_id,
        "status_before": list(status_before),
        **{f"new_{name}": value for name, value in changes.items()},
        **actor.as_owner(),
        **gate_parameters(key, message_id),
        **event_parameters(actor, {"messageId": global_id(ChatMessage.node_type, message_id), **facts}),
    }
