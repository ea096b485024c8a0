"""Every statement that writes messages."""

from collections.abc import Collection
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    Double,
    Integer,
    Numeric,
    Text,
    Uuid,
    any_,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.core.actor import Actor, TenantId
from app.core.ids import global_id
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param
from app.events.fragments import event, event_parameters
from app.events.values import EventKind
from app.idempotency.fragments import gate, gate_parameters, passed
from app.idempotency.values import ClientKey
from app.messages.fragments import (
    copies,
    copies_parameters,
    held,
    locked_message,
    messages,
    of_session,
    session_of,
)
from app.messages.models import ChatMessage
from app.messages.values import UNFINISHED, Copies, MessageId, MessageRole, MessageStatus, NewMessage
from app.sessions.fragments import (
    answer_counted,
    answer_ended,
    is_session,
    named_parent,
    one_more_message,
    owned,
    session_claimed,
    tallied,
    tallied_copies,
    touched,
)
from app.sessions.values import SessionId, TallyKind

_OWNED = Query(
    ChatMessage,
    select(*messages.c).where(
        messages.c.tenant_id == param("tenant_id"), messages.c.id == param("message_id", Uuid), of_session(owned())
    ),
)

GIVEN: dict[str, Any] = {
    "status": Text, "content": Text, "token_count": Integer, "token_count_estimated": Boolean, "tool_call_id": Text,
    "error_code": Text, "error_message": Text, "intent_name": Text, "intent_confidence": Double,
    "intent_keywords": ARRAY(Text), "model": Text, "temperature": Double, "generation_source": Text,
    "processing_time_ms": Integer, "context": JSONB, "streaming": JSONB, "pipeline_facts": JSONB,
    "custom_metadata": JSONB,
}  # fmt: skip
"""Columns of a new message that come from outside, with their types."""

_COMPLETED = param("status", Text) == MessageStatus.COMPLETED.value

_SPENT = ("token_count", "processing_time_ms")
"""What a message took, as the session counts it. It never becomes less, like the session's counters: what is told when
the message ends replaces what was told when it was begun, where it is more."""

_CLEARED: dict[str, Any] = {
    "content": "", "error_message": None, "intent_name": None, "intent_confidence": None, "intent_keywords": None,
    "context": {}, "streaming": {}, "custom_metadata": {}, "tool_call_count": 0,
    "attachment_count": 0,
}  # fmt: skip
"""What a tombstone no longer holds. Its tool calls and attachments are removed by triggers of their tables."""


def _append(role: MessageRole, beside: bool) -> Command[ChatMessage]:
    """Gate, session, message and event in one statement (S3-18)."""
    session = _one_more_beside(role) if beside else _one_more(role)
    row: dict[str, Any] = {
        "tenant_id": session.c.tenant_id,
        "id": param("message_id", Uuid),
        "session_id": session.c.id,
        "sequence_number": session.c.last_sequence,
        "parent_message_id": session.c.active_leaf_parent_id,
        "role": literal(role.value, Text),
        "created_at": session.c.updated_at,
        "updated_at": session.c.updated_at,
        **{name: param(name, kind) for name, kind in GIVEN.items()},
    }
    message = insert(messages).from_select(list(row), select(*row.values())).returning(*messages.c).cte("message")
    numbered = {"sequenceNumber": session.c.last_sequence}
    written = [event(EventKind.MESSAGE_APPENDED, stream=session, facts=numbered)]
    if role is MessageRole.ASSISTANT:
        written.append(tallied(session, TallyKind.MODEL, param("model", Text)))
    return Command(ChatMessage, select(*message.c).add_cte(*written))


def _one_more(role: MessageRole) -> CTE:
    """The session with one message more, which answers the parent that is named, or else the active leaf."""
    right_parent = parent_is_of_this_session()
    through = gate(session_claimed() & right_parent)
    changes = one_more_message(role, _COMPLETED, named_parent())
    return touched(is_session(), right_parent, passed(through), changes=changes)


def _one_more_beside(role: MessageRole) -> CTE:
    """The session with one message more, which answers what the message `beside` answers, be that nothing."""
    locked = locked_message("beside")
    of_session = locked.c.session_id == param("session_id", Uuid)
    beside = held(locked, of_session, locked.c.role == literal(role.value, Text))
    through = gate(exists(select(beside.c.id)))
    changes = one_more_message(role, _COMPLETED, select(beside.c.parent_message_id).scalar_subquery())
    return touched(session_of(beside), passed(through), changes=changes)


def parent_is_of_this_session() -> ColumnElement[bool]:
    """Whether the parent that was named, if one was, is a message of the session. Parameters: parent_message_id …"""
    parent = param("parent_message_id", Uuid)
    found = select(messages.c.id).where(
        messages.c.tenant_id == param("tenant_id"),
        messages.c.id == parent,
        messages.c.session_id == param("session_id", Uuid),
    )
    return or_(parent.is_(None), exists(found))


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


_APPEND = {(role, beside): _append(role, beside) for role in MessageRole for beside in (False, True)}


def _copy() -> Command[int]:
    """A path of messages once more, as the first ones of another session."""
    copied = copies()
    changed: dict[str, Any] = {
        "id": copied.c.copy_id,
        "session_id": param("session_id", Uuid),
        "sequence_number": cast(copied.c.number, Integer),
        "parent_message_id": func.lag(copied.c.copy_id).over(order_by=copied.c.number),
    }
    row = {column.name: changed.get(column.name, column) for column in messages.c if column.computed is None}
    found = select(*row.values()).join(copied, messages.c.id == copied.c.original_id)
    of_origin = messages.c.tenant_id == param("tenant_id"), messages.c.session_id == param("origin_id", Uuid)
    stored = insert(messages).from_select(list(row), found.where(*of_origin)).returning(*messages.c).cte("stored")
    answers = select(*stored.c).where(stored.c.role == MessageRole.ASSISTANT.value).cte("answers")
    used = tallied_copies(TallyKind.MODEL, answers.c.session_id, answers.c.model, answers)
    return Command(int, select(func.count().label("count")).select_from(stored).add_cte(used))


_COPY = _copy()


_MOVE = Command(
    UUID,
    update(messages)
    .where(
        messages.c.tenant_id == param("tenant_id"),
        messages.c.parent_message_id == param("message_id", Uuid),
        messages.c.session_id == param("session_id", Uuid),
        messages.c.id != param("but_id", Uuid),
    )
    .values(parent_message_id=param("onto_id", Uuid))
    .returning(messages.c.id),
)


def _path() -> Query[ChatMessage]:
    depth = literal(0, Integer).label("depth")
    last = (
        select(*messages.c, depth)
        .where(messages.c.tenant_id == param("tenant_id"), messages.c.id == param("message_id", Uuid))
        .cte("path", recursive=True)
    )
    before = messages.alias("before")
    path = last.union_all(
        select(*before.c, (last.c.depth + 1).label("depth"))
        .join(last, (before.c.tenant_id == last.c.tenant_id) & (before.c.id == last.c.parent_message_id))
        .where(last.c.depth < param("most", Integer) - 1)
    )
    columns = [column for column in path.c if column.name != "depth"]
    return Query(ChatMessage, select(*columns).order_by(path.c.depth.desc()))


_PATH = _path()


async def path_to(scope: ReadScope, tenant_id: TenantId, message_id: MessageId, most: int) -> list[ChatMessage]:
    """A message and what it answers, and what that answers …, oldest first."""
    return await scope.all(_PATH, tenant_id=tenant_id, message_id=message_id, most=most)


async def move_answers(
    uow: UnitOfWork, actor: Actor, session_id: SessionId, message_id: MessageId, onto: MessageId, but: MessageId
) -> int:
    """Have what follows a message follow another, save one; how many. The session must be locked and the actor's."""
    moved = await uow.run(
        _MOVE, tenant_id=actor.tenant_id, session_id=session_id, message_id=message_id, onto_id=onto, but_id=but
    )
    return len(moved)


async def owned_message(scope: ReadScope, actor: Actor, message_id: MessageId) -> ChatMessage | None:
    """The message, where its session is the actor's."""
    return await scope.first(_OWNED, message_id=message_id, **actor.as_owner())


async def append(uow: UnitOfWork, actor: Actor, new: NewMessage, key: ClientKey | None) -> ChatMessage | None:
    """Store a message at its session's next number, with counters and event.

    None, and nothing stored, when the actor owns no such session, the parent is not in it, the message to stand beside
    is not in it, deleted or of another role, or the key was used before.
    The session's row stays locked until the transaction ends: its writers follow each other, numbers have no gaps.
    """
    uow.announce(new.draft.session_id)
    return await uow.run_one(_APPEND[new.draft.role, new.draft.beside is not None], **appending(actor, new, key))


def appending(actor: Actor, new: NewMessage, key: ClientKey | None) -> dict[str, object]:
    """The parameters of a statement that appends a message."""
    draft, intent, generation = new.draft, new.intent, new.draft.generation
    facts = {
        "messageId": global_id(ChatMessage.node_type, new.id),
        "role": draft.role.name,
        "status": draft.status.name,
    }
    parent = {"parent_message_id": draft.parent_message_id} if draft.beside is None else {"beside": draft.beside}
    return {
        "session_id": draft.session_id,
        "message_id": new.id,
        **parent,
        "status": draft.status,
        "content": draft.content,
        "token_count": new.token_count,
        "token_count_estimated": new.token_count_estimated,
        "tool_call_id": draft.tool_call_id,
        "error_code": generation.error_code,
        "error_message": generation.error_message,
        "intent_name": intent and intent.name,
        "intent_confidence": intent and intent.confidence,
        "intent_keywords": intent and list(intent.keywords),
        "model": generation.model,
        "temperature": generation.temperature,
        "generation_source": generation.source,
        "processing_time_ms": generation.processing_time_ms,
        "context": draft.context_items.as_json(),
        "streaming": generation.streaming,
        "pipeline_facts": new.pipeline_facts,
        "custom_metadata": draft.metadata,
        **actor.as_owner(),
        **gate_parameters(key, new.id),
        **event_parameters(actor, facts),
    }


async def copy(uow: UnitOfWork, actor: Actor, origin_id: SessionId, session_id: SessionId, copied: Copies) -> None:
    """Store copies of messages of a session, which is the actor's and locked, as the first of another that is new."""
    places = {"tenant_id": actor.tenant_id, "origin_id": origin_id, "session_id": session_id}
    await uow.run(_COPY, **places, **copies_parameters(copied))


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
