"""How an execution is changed and decided: with what hangs on its outcome, in one transaction."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from app.core.actor import Actor
from app.db.database import Database
from app.db.scopes import UnitOfWork
from app.idempotency.values import ClientKey
from app.tools import service
from app.tools.models import ToolExecution
from app.tools.service import ExecutionOutcome
from app.tools.values import APPROVAL_LASTS, Decision, ExecutionStatus, ToolExecutionId


class OutcomeListener(Protocol):
    """A room above that waits for executions: a run goes on when those it asked for have ended."""

    async def decided_or_ended(self, uow: UnitOfWork, actor: Actor, execution: ToolExecution) -> None:
        """An execution with a `run_id` was approved or has ended, in this transaction, which holds its session's lock.

        The row has no `input` and `output`; `service.of_run_turn` has them.
        """


@dataclass(frozen=True, slots=True)
class ToolPipeline:
    """One per process, without state."""

    listeners: tuple[OutcomeListener, ...] = ()
    approval_lasts: timedelta = APPROVAL_LASTS
    """How long an approval is waited for, where who asks for it does not say."""

    async def update(
        self,
        database: Database,
        actor: Actor,
        execution_id: ToolExecutionId,
        changes: dict[str, Any],
        key: ClientKey | None,
    ) -> ExecutionOutcome:
        """Change status, output or error. Errors as of `service.update`."""

        async def work(uow: UnitOfWork) -> ExecutionOutcome:
            outcome = await service.update(uow, actor, execution_id, changes, key)
            if not outcome.deduplicated and ExecutionStatus(outcome.execution.status).ended:
                await self._tell(uow, actor, outcome.execution)
            return outcome

        return await database.transact(work)

    async def decide(
        self, database: Database, actor: Actor, decision: Decision, key: ClientKey | None
    ) -> ExecutionOutcome:
        """Approve or deny. Errors as of `service.decide`."""

        async def work(uow: UnitOfWork) -> ExecutionOutcome:
            outcome = await service.decide(uow, actor, decision, key)
            if not outcome.deduplicated:
                await self._tell(uow, actor, outcome.execution)
            return outcome

        return await database.transact(work)

    async def expire(self, database: Database, actor: Actor, execution_id: ToolExecutionId) -> None:
        """Cancel an execution that nobody decided about in time; nothing when somebody did."""

        async def work(uow: UnitOfWork) -> None:
            expired = await service.expire(uow, actor, execution_id)
            if expired is not None:
                await self._tell(uow, actor, expired)

        await database.transact(work)

    async def _tell(self, uow: UnitOfWork, actor: Actor, execution: ToolExecution) -> None:
        if execution.run_id is not None:
            for listener in self.listeners:
                await listener.decided_or_ended(uow, actor, execution)
