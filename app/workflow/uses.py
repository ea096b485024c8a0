"""What other rooms ask of generated prompts: what an approved one says."""

from app.core.actor import Actor
from app.db.scopes import ReadScope, UnitOfWork
from app.execution.values import GeneratedPromptId
from app.workflow.errors import GeneratedPromptNotFound, NotPossibleNow
from app.workflow.loaders.downloads import prompt_generated
from app.workflow.repository.generated import hold
from app.workflow.values import StageId, StageStatus

_FIELD = "promptGenerationId"


class ApprovedPrompts:
    """One per process, without state: `GeneratedPrompts` of executions."""

    async def text_of(self, scope: ReadScope, actor: Actor, generated_id: GeneratedPromptId) -> str:
        """What an approved prompt says. GeneratedPromptNotFound, NotPossibleNow."""
        found = await prompt_generated(scope, actor, StageId(generated_id))
        if found is None:
            raise GeneratedPromptNotFound(_FIELD)
        if found.status != StageStatus.APPROVED or found.content is None:
            raise NotPossibleNow(
                f"the prompt is {found.status.upper()}, and only one that is approved is executed", _FIELD,
                "have it approved first, or choose the attempt that is",
            )  # fmt: skip
        return found.content

    async def hold(self, uow: UnitOfWork, actor: Actor, generated_id: GeneratedPromptId) -> bool:
        """Keep a prompt from being deleted until the end; False where it is gone."""
        return await hold(uow, actor, StageId(generated_id))
