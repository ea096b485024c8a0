"""What other rooms ask of executions, and tell them: whether a template is needed, and that a prompt is asked again."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from app.core.actor import Actor
from app.core.ids import global_id, new_id
from app.db.scopes import UnitOfWork
from app.execution import repository
from app.execution.models import PromptExecution
from app.execution.stages import GeneratedPrompts
from app.execution.values import GeneratedPromptId, NewExecution, PromptExecutionId
from app.messages.values import MessageId
from app.prompts.errors import TemplateNotFound
from app.prompts.service import hold
from app.prompts.values import TemplateId, VersionId
from app.runs.models import Run
from app.runs.values import RunId
from app.sessions.values import SessionId


@dataclass(frozen=True, slots=True)
class PromptUses:
    """One per process, without state: `TemplateUses` of prompts and `RunListener` of runs."""

    generated: GeneratedPrompts

    async def unfinished(self, uow: UnitOfWork, actor: Actor, template_id: TemplateId) -> Sequence[str]:
        """Global ids of some runs that are not finished and answer prompts of a template."""
        return [
            global_id(Run.node_type, run_id) for run_id in await repository.unfinished_runs(uow, actor, template_id)
        ]

    async def asked_again(self, uow: UnitOfWork, actor: Actor, run: Run) -> None:
        """A run answers a question once more: where that is a prompt, it has an execution of its own."""
        earlier = await repository.first_of_message(uow, actor, MessageId(run.prompt_message_id))
        if earlier is None:
            return
        if earlier.template_id is not None:
            # Of one that was deleted since, the versions stay, and the text that is asked is in the message.
            with suppress(TemplateNotFound):
                await hold(uow, actor, TemplateId(earlier.template_id))
        new = _again(earlier, run)
        if new.generated_id is not None and not await self.generated.hold(uow, actor, new.generated_id):
            new = replace(new, generated_id=None)
        await repository.save(uow, actor, new)
        await repository.touch(uow, actor, new)


def _again(earlier: PromptExecution, run: Run) -> NewExecution:
    """The execution of a run that answers the message of an earlier one once more: the same version and values."""
    return NewExecution(
        PromptExecutionId(new_id()),
        SessionId(run.session_id),
        RunId(run.id),
        MessageId(run.prompt_message_id),
        TemplateId(earlier.template_id) if earlier.template_id else None,
        VersionId(earlier.template_version_id) if earlier.template_version_id else None,
        earlier.label,
        earlier.chosen_version,
        earlier.variables,
        earlier.context_file_id,
        GeneratedPromptId(earlier.prompt_generation_id) if earlier.prompt_generation_id else None,
    )
