"""Builds the stages for a request, and finds what the same request was answered before."""

from dataclasses import dataclass

from app.core.actor import Actor
from app.db.database import Database
from app.execution import repository
from app.execution.admission import RunAdmission
from app.execution.errors import ExecutionGone
from app.execution.persistence import PromptPersistence, SqlExecutions
from app.execution.preparation import TemplatePreparation
from app.execution.stages import GeneratedPrompts, PromptExecutor
from app.execution.values import PromptExecutionId, SavedExecution
from app.idempotency.service import first_subject
from app.idempotency.values import ClientKey
from app.runs.pipeline import RunPipeline


@dataclass(frozen=True, slots=True)
class PromptExecutions:
    """One per process, without state."""

    runs: RunPipeline
    generated: GeneratedPrompts
    wait_seconds: float = 60.0
    """How long a client may wait for an answer in one request."""

    def for_request(self, database: Database, actor: Actor) -> PromptExecutor:
        """The three stages for one request (S0-16)."""
        return PromptExecutor(
            TemplatePreparation(database, actor, self.runs, self.generated),
            RunAdmission(actor, self.runs),
            PromptPersistence(database, actor, SqlExecutions(self.runs, self.generated)),
        )

    async def earlier(self, database: Database, actor: Actor, key: ClientKey | None) -> SavedExecution | None:
        """What the same request made when it came first, before anything is looked at that has changed since: the
        template may be deleted by now, or its label moved. KeyReused, ExecutionGone.
        """
        async with database.read() as scope:
            subject = await first_subject(scope, actor, key)
            if subject is None:
                return None
            found = await repository.owned_execution(scope, actor, PromptExecutionId(subject))
        if found is None:
            raise ExecutionGone
        return found
