"""Statements about reviews. The project's row is locked before."""

from typing import Any

from sqlalchemy import Text, Uuid, func, insert, select, true, update

from app.core.actor import Actor
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param
from app.workflow.fragments import decisions, reviews
from app.workflow.models import Review, WorkflowStage
from app.workflow.values import Decision, ReviewId

_IS_REVIEW = (reviews.c.tenant_id == param("tenant_id", Text), reviews.c.id == param("review_id", Uuid))

_FIND = Query(Review, select(*reviews.c).where(*_IS_REVIEW))


def _open() -> Command[Review]:
    now = func.statement_timestamp()
    row: dict[str, Any] = {
        "tenant_id": param("tenant_id", Text), "id": param("review_id", Uuid), "project_id": param("project_id", Uuid),
        "stage": param("stage", Text), "service_name": param("service_name", Text), "created_at": now,
        "updated_at": now,
    }  # fmt: skip
    return Command(Review, insert(reviews).from_select(list(row), select(*row.values())).returning(*reviews.c))


def _decide() -> Command[Review]:
    now = func.greatest(reviews.c.updated_at, func.statement_timestamp())
    decided = (
        update(reviews)
        .where(*_IS_REVIEW, (reviews.c.status == param("expected", Text)).is_(true()))
        .values(
            status=param("status", Text), feedback=param("feedback", Text), decided_by=param("actor", Text),
            decided_at=now, updated_at=now, decisions=reviews.c.decisions + 1,
        )
        .returning(*reviews.c)
        .cte("review")
    )  # fmt: skip
    row: dict[str, Any] = {
        "tenant_id": decided.c.tenant_id, "review_id": decided.c.id, "number": decided.c.decisions,
        "kind": param("kind", Text), "feedback": decided.c.feedback, "decided_by": decided.c.decided_by,
        "correlation_id": param("correlation_id", Text), "at": decided.c.decided_at,
    }  # fmt: skip
    kept = insert(decisions).from_select(list(row), select(*row.values())).cte("kept")
    return Command(Review, select(*decided.c).add_cte(kept))


_OPEN = _open()
_DECIDE = _decide()


async def find_review(scope: ReadScope, actor: Actor, review_id: ReviewId) -> Review | None:
    """A review of the tenant."""
    return await scope.first(_FIND, tenant_id=actor.tenant_id, review_id=review_id)


async def open_review(uow: UnitOfWork, stage: WorkflowStage, review_id: ReviewId) -> None:
    """Ask for a decision about an attempt that is about to have its content."""
    await uow.run(
        _OPEN,
        tenant_id=stage.tenant_id,
        review_id=review_id,
        project_id=stage.project_id,
        stage=stage.stage,
        service_name=stage.model,
    )


async def decide(uow: UnitOfWork, actor: Actor, decision: Decision) -> Review | None:
    """Note a decision; None where the review is not at what the decision expects."""
    return await uow.run_one(
        _DECIDE,
        tenant_id=actor.tenant_id,
        review_id=decision.review_id,
        expected=decision.expected_status.value,
        status=decision.kind.review_status.value,
        feedback=decision.feedback,
        kind=decision.kind.value,
        actor=actor.user_id,
        correlation_id=actor.correlation_id,
    )
