"""The second stage: a prompt is admitted to a model."""

from dataclasses import dataclass, replace

from app.core.actor import Actor
from app.execution.values import ExecutePromptRequest, LlmExecutionResult, PreparedPrompt
from app.runs.pipeline import RunPipeline
from app.runs.values import Asked


@dataclass(frozen=True, slots=True)
class RunAdmission:
    """One per request. The model answers by a run as any other: followed, resumed, cancelled, tried again."""

    actor: Actor
    runs: RunPipeline

    async def execute(self, prepared: PreparedPrompt, request: ExecutePromptRequest) -> LlmExecutionResult:
        """As `Execution`; no transaction is held. ProviderNotConfigured, ValidationError."""
        model = self.runs.models.resolve(prepared.model)
        asked = Asked(
            request.session_id,
            prepared.text,
            replace(request.wanted, model=model.id),
            context_items=prepared.context_items,
            on_busy=request.on_busy,
            tools=request.tools,
            project_id=request.project_id,
            title=request.title,
        )
        return LlmExecutionResult(prepared, await self.runs.prepare(self.actor, asked))
