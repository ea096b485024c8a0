"""Every statement that writes executions of prompts, and those that ask behind a lock what was stored."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Text, Uuid, insert, literal, select, true
from sqlalchemy.dialects.postgresql import JSONB

from app.core.actor import Actor
from app.core.ids import global_id
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param
from app.events.fragments import event, event_parameters
from app.events.values import EventKind
from app.execution.fragments import executions
from app.execution.models import PromptExecution
from app.execution.values import GENERATED_PROMPT, NewExecution, PromptExecutionId, SavedExecution
from app.messages.values import MessageId
from app.prompts.models import PromptTemplateVersion
from app.prompts.values import TemplateId
from app.runs.fragments import LIVE_STATUSES, runs
from app.runs.models import Run
from app.runs.values import RunId
from app.sessions.fragments import happening_at, is_session, owned, sessions, touched
from app.sessions.values import SessionId

MOST_NAMED = 10
"""Unfinished runs that a refused deletion names."""


class _Saved(NamedTuple):
    id: UUID
    session_id: UUID
    run_id: UUID
    created_at: datetime


def _save() -> Command[_Saved]:
    row: dict[str, Any] = {
        "tenant_id": sessions.c.tenant_id, "id": param("execution_id", Uuid), "session_id": sessions.c.id,
        "user_id": sessions.c.user_id, "run_id": param("run_id", Uuid),
        "user_message_id": param("user_message_id", Uuid), "template_id": param("template_id", Uuid),
        "template_version_id": param("template_version_id", Uuid), "label": param("label", Text),
        "chosen_version": param("chosen_version", Integer), "variables": param("variables", JSONB),
        "context_file_id": param("context_file_id", Text),
        "prompt_generation_id": param("prompt_generation_id", Uuid), "correlation_id": param("correlation_id", Text),
        "created_at": happening_at(),
    }  # fmt: skip
    saved = select(*row.values()).where(owned(), is_session())
    shown = (executions.c[name] for name in _Saved._fields)
    return Command(_Saved, insert(executions).from_select(list(row), saved).returning(*shown))


def _touch() -> Command[datetime]:
    session = touched(is_session())
    return Command(datetime, select(session.c.updated_at).add_cte(event(EventKind.PROMPT_EXECUTED, stream=session)))


_SAVE = _save()
_TOUCH = _touch()

_OWNED = Query(
    _Saved,
    select(*(executions.c[name] for name in _Saved._fields))
    .join(sessions, (sessions.c.tenant_id == executions.c.tenant_id) & (sessions.c.id == executions.c.session_id))
    .where(owned(), executions.c.tenant_id == param("tenant_id"), executions.c.id == param("execution_id", Uuid)),
)

_OF_MESSAGE = Query(
    PromptExecution,
    select(*executions.c)
    .where(executions.c.tenant_id == param("tenant_id"), executions.c.user_message_id == param("user_message_id", Uuid))
    .order_by(executions.c.created_at, executions.c.id)
    .limit(literal(1, BigInteger)),
)


def _unfinished() -> Query[UUID]:
    # Found by the index of all live runs, of which there are few; a template may have a million executions. Apart, for
    # without statistics the planner would begin with the executions of the tenant.
    live = (
        select(runs.c.id, runs.c.created_at)
        .where(runs.c.tenant_id == param("tenant_id"), runs.c.status.in_(LIVE_STATUSES))
        .cte("live")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    return Query(
        UUID,
        select(live.c.id)
        .join(executions, (executions.c.tenant_id == param("tenant_id")) & (executions.c.run_id == live.c.id))
        .where((executions.c.template_id == param("template_id", Uuid)).is_(true()))
        .order_by(live.c.created_at, live.c.id)
        .limit(literal(MOST_NAMED, BigInteger)),
    )


_UNFINISHED = _unfinished()


async def save(uow: UnitOfWork, actor: Actor, new: NewExecution) -> SavedExecution:
    """Store an execution. Its session is the actor's and locked, its message and its run are stored, and a generated
    prompt is held.
    """
    saved = await uow.run_one(
        _SAVE,
        execution_id=new.id,
        session_id=new.session_id,
        run_id=new.run_id,
        user_message_id=new.user_message_id,
        template_id=new.template_id,
        template_version_id=new.version_id,
        label=new.label,
        chosen_version=new.chosen_version,
        variables=new.variables,
        context_file_id=new.context_file_id,
        prompt_generation_id=new.generated_id,
        correlation_id=actor.correlation_id,
        **actor.as_owner(),
    )
    assert saved is not None  # noqa: S101 - its session is locked
    return _shown(saved)


async def touch(uow: UnitOfWork, actor: Actor, new: NewExecution) -> datetime:
    """Bump the session of an execution, with the event that tells of it; the session's new time."""
    facts: dict[str, object] = {
        "promptExecutionId": global_id(PromptExecution.node_type, new.id),
        "runId": global_id(Run.node_type, new.run_id),
        "messageId": global_id("ChatMessage", new.user_message_id),
    }
    if new.version_id is not None:
        facts["templateVersionId"] = global_id(PromptTemplateVersion.node_type, new.version_id)
    if new.generated_id is not None:
        facts["promptGenerationId"] = global_id(GENERATED_PROMPT, new.generated_id)
    touched_at = await uow.run_one(
        _TOUCH, session_id=new.session_id, **actor.as_owner(), **event_parameters(actor, facts)
    )
    uow.announce(new.session_id)
    assert touched_at is not None  # noqa: S101 - it is locked
    return touched_at


async def owned_execution(scope: ReadScope, actor: Actor, execution_id: PromptExecutionId) -> SavedExecution | None:
    """An execution of the actor's."""
    found = await scope.first(_OWNED, execution_id=execution_id, **actor.as_owner())
    return _shown(found) if found else None


async def first_of_message(scope: ReadScope, actor: Actor, message_id: MessageId) -> PromptExecution | None:
    """The execution that a message was stored with, without what its run knows; None where it is no prompt's."""
    return await scope.first(_OF_MESSAGE, tenant_id=actor.tenant_id, user_message_id=message_id)


async def unfinished_runs(scope: ReadScope, actor: Actor, template_id: TemplateId) -> Sequence[RunId]:
    """Some runs of the tenant that are not finished and answer prompts of a template, the oldest first."""
    found = await scope.all(_UNFINISHED, tenant_id=actor.tenant_id, template_id=template_id)
    return [RunId(run_id) for run_id in found]


def _shown(saved: _Saved) -> SavedExecution:
    return SavedExecution(
        PromptExecutionId(saved.id), SessionId(saved.session_id), RunId(saved.run_id), saved.created_at
    )
