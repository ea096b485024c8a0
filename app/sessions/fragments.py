"""Pieces of statements about sessions, for this room and those that hang rows on a session."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    Text,
    Uuid,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from app.db.base import table_of
from app.db.statement import param
from app.sessions.models import ChatSession, SessionTally
from app.sessions.values import TallyKind

sessions = table_of(ChatSession)
tallies = table_of(SessionTally)


def readable() -> ColumnElement[bool]:
    """Whether the actor may read a session: their own, a project's, or an admin's any.

    The one place to add to when sessions can be shared. IS TRUE as in `owned`: a session is found by its id, and not
    among all of the user's or all of projects. Parameters: tenant_id, user_id, is_admin.
    """
    shown = or_(sessions.c.user_id == param("user_id"), sessions.c.project_id.is_not(None), param("is_admin", Boolean))
    return (sessions.c.tenant_id == param("tenant_id")) & shown.is_(true())


def owned() -> ColumnElement[bool]:
    """Whether the actor may write a session: their own. Parameters: tenant_id, user_id.

    IS TRUE keeps the index of a user's sessions out of it: on a table without statistics the planner thinks it as good
    as the primary key, and reads all of the user's sessions to find one.
    """
    return (sessions.c.tenant_id == param("tenant_id")) & (sessions.c.user_id == param("user_id")).is_(true())


def claimed(*conditions: ColumnElement[bool], columns: Collection[str] = ("id",)) -> CTE:
    """The one session of the actor that `conditions` name, its row locked until the transaction ends.

    The one order of locks: a session's row first, then what hangs on it. Whoever holds the row is alone among the
    session's writers, and so sure to use the event number that it takes. The lock is that of an UPDATE, which does not
    stand in the way of rows that refer to the session. `conditions` are asked of the row, and `columns` read from it,
    as they are once it is locked. Parameters: tenant_id, user_id.
    """
    found = select(*(sessions.c[name] for name in columns)).where(owned(), *conditions)
    return found.with_for_update(key_share=True).cte("claimed")


def happening_at() -> ColumnElement[Any]:
    """The time of a change: the database's clock, never before the session's last change.

    statement_timestamp() is the same wherever it stands in a statement, so that a message and its event agree; a writer
    that had to wait for the row's lock would otherwise be earlier than the one before it.
    """
    return func.greatest(sessions.c.updated_at, func.statement_timestamp())


def touched(*conditions: ColumnElement[bool], changes: dict[str, Any] | None = None) -> CTE:
    """Take the session's next event number and apply `changes`, where `conditions` name one session of the actor.

    The row stays locked until the transaction ends: writers of one session follow each other. Columns: all.
    """
    return (
        update(sessions)
        .where(owned(), *conditions)
        .values({"last_event": sessions.c.last_event + 1, "updated_at": happening_at(), **(changes or {})})
        .returning(*sessions.c)
        .cte("session")
    )


def answer_counted(
    begun_at: ColumnElement[Any], completed: ColumnElement[bool], at: ColumnElement[Any] | None = None
) -> dict[str, Any]:
    """The changes to a session that count an assistant's message as an answer, where `completed` holds (S1-27).

    What counts is the first message that is completed after the latest question, at the moment it is; `begun_at` is
    when it was appended, for what was begun before the question does not answer it. A message that fails or is
    cancelled is no answer: the question goes on waiting. `at` is the moment, where it is not now.
    """
    at = happening_at() if at is None else at
    answers = completed & (sessions.c.awaiting_answer_since <= begun_at)
    waited = cast(func.extract("epoch", at - sessions.c.awaiting_answer_since) * 1000, BigInteger)
    return {
        "answered": sessions.c.answered + case((answers, 1), else_=0),
        "answer_ms": sessions.c.answer_ms + case((answers, waited), else_=0),
        "awaiting_answer_since": case((answers, null()), else_=sessions.c.awaiting_answer_since),
    }


def answer_ended(
    begun_at: ColumnElement[Any],
    completed: ColumnElement[bool],
    *,
    tokens: ColumnElement[Any],
    cost: ColumnElement[Any],
    duration_ms: ColumnElement[Any],
) -> dict[str, Any]:
    """The changes to a session when an assistant's message ends that had been appended before it was all there.

    It counts as an answer as in `answer_counted`; what it took is spent however it ended. `tokens` (BigInteger), `cost`
    (Numeric) and `duration_ms` (BigInteger) are what comes on top of what was counted when it was appended; of each,
    null is nothing. For `touched(changes=...)`.
    """
    spent = {"total_tokens_used": tokens, "estimated_cost": cost, "total_duration_ms": duration_ms}
    sums = {name: sessions.c[name] + func.coalesce(amount, cast(0, amount.type)) for name, amount in spent.items()}
    return {**answer_counted(begun_at, completed), **sums}


def named_parent() -> ColumnElement[Any]:
    """What a message answers by the parameter parent_message_id; where that is None, the active leaf."""
    return func.coalesce(param("parent_message_id", Uuid), sessions.c.active_leaf_id)


def one_more_message(
    role: str, completed: ColumnElement[bool], parent: ColumnElement[Any], at: ColumnElement[Any] | None = None
) -> dict[str, Any]:
    """The changes to a session when a message of `role` is appended that answers `parent`: number, leaf and counters.

    `completed`: whether it is all there; one that is yet to be written counts as an answer by `answer_ended`. `at` is
    when it was, where that is not now. Parameters: message_id, token_count, processing_time_ms (may be None).
    """
    at = happening_at() if at is None else at
    counter = sessions.c[f"{role}_messages"]
    changes: dict[str, Any] = {
        "last_sequence": sessions.c.last_sequence + 1,
        counter.name: counter + 1,
        "active_leaf_id": param("message_id", Uuid),
        "active_leaf_parent_id": parent,
        "total_tokens_used": sessions.c.total_tokens_used + param("token_count", BigInteger),
        "total_duration_ms": sessions.c.total_duration_ms
        + func.coalesce(param("processing_time_ms", BigInteger), cast(0, BigInteger)),
    }
    match role:
        case "user":
            changes["awaiting_answer_since"] = at
        case "assistant":
            changes |= answer_counted(at, completed, at)
    return changes


def tallied(session: CTE, kind: TallyKind, name: ColumnElement[Any], *conditions: ColumnElement[bool]) -> CTE:
    """Count one more use of what `name` (Text) says, where it is not null and `conditions` hold.

    `session` was `touched` by the same statement: its row's lock keeps two writers from the same line. What the
    conditions name besides must be a single row, or a scalar.
    """
    row = {
        "tenant_id": session.c.tenant_id, "session_id": session.c.id, "kind": literal(kind.value, Text), "name": name,
        "times": literal(1, BigInteger),
    }  # fmt: skip
    first = insert(tallies).from_select(list(row), select(*row.values()).where(name.is_not(None), *conditions))
    return first.on_conflict_do_update(
        index_elements=list(tallies.primary_key.columns), set_={"times": tallies.c.times + 1}
    ).cte("tallied")


def tallied_copies(kind: TallyKind, session_id: ColumnElement[Any], name: ColumnElement[Any], copies: CTE) -> CTE:
    """Count what a new session uses whose rows were stored as copies of another's: the first of its lines of a kind.

    `session_id` and `name` are columns that belong to `copies`, where name is not null. Parameters: tenant_id.
    """
    tenant_id, word = param("tenant_id", Text), literal(kind.value, Text)
    counted = select(tenant_id, session_id, word, name, func.count()).select_from(copies).where(name.is_not(None))
    row = ["tenant_id", "session_id", "kind", "name", "times"]
    return insert(tallies).from_select(row, counted.group_by(session_id, name)).cte("tallied")


def one_past_message(role: str, completed: ColumnElement[bool], at: ColumnElement[Any]) -> dict[str, Any]:
    """The same for a message that was written elsewhere, at its own time, in a tree that is known.

    The session is as old as the latest of its messages. Its active leaf becomes this one only where `moves_leaf` says.
    Parameters: as above, where no parent means that there is none, and moves_leaf.
    """
    moves = param("moves_leaf", Boolean)
    leaf, parent = param("message_id", Uuid), param("parent_message_id", Uuid)
    return {
        **one_more_message(role, completed, parent, at),
        "updated_at": func.greatest(sessions.c.updated_at, at),
        "active_leaf_id": case((moves, leaf), else_=sessions.c.active_leaf_id),
        "active_leaf_parent_id": case((moves, parent), else_=sessions.c.active_leaf_parent_id),
    }


def is_session(session_id: str = "session_id") -> ColumnElement[bool]:
    """The session named by a parameter."""
    return sessions.c.id == param(session_id, Uuid)


def session_claimed() -> ColumnElement[bool]:
    """Whether the session `session_id` is the actor's; whoever asks holds its row from then on."""
    return exists(select(claimed(is_session()).c.id))
