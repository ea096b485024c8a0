"""The first stage: which version is meant, its text with the values in it, and what goes with it."""

from dataclasses import dataclass

from app.core.actor import Actor
from app.core.text import require_length
from app.db.database import Database
from app.db.scopes import ReadScope
from app.execution.context_files import context_of
from app.execution.stages import GeneratedPrompts
from app.execution.values import ExecutePromptRequest, PreparedPrompt
from app.messages.values import LONGEST_CONTENT
from app.prompts.errors import TemplateNotFound
from app.prompts.models import PromptTemplateVersion
from app.prompts.rendering import render
from app.prompts.service import resolve
from app.prompts.values import Choice
from app.runs.pipeline import RunPipeline
from app.sessions.errors import SessionNotFound
from app.sessions.models import ChatSession
from app.sessions.service import find_owned
from app.sessions.values import SessionId


@dataclass(frozen=True, slots=True)
class TemplatePreparation:
    """One per request. It reads, and holds nothing.

    Of the conversation it looks at the session: what the model reads of it is the path to the prompt as it is when the
    run's turn comes, for answers that are still to be given may belong to it.
    """

    database: Database
    actor: Actor
    runs: RunPipeline
    generated: GeneratedPrompts

    async def prepare(self, request: ExecutePromptRequest) -> PreparedPrompt:
        """As `Preparation`.

        ValidationError, SessionNotFound, TemplateNotFound, VersionNotFound, ContextFileNotFound, and what is told of a
        generated prompt.
        """
        request.check()
        async with self.database.read() as scope:
            session = await self._session(scope, request.session_id)
            version = await self._version(scope, request.choice)
            text = await self._text(scope, version, request)
            items = await context_of(scope, self.actor, request.context_file_id)
        return PreparedPrompt(text, self.runs.model_for(request.wanted, session), session, version, items)

    async def _session(self, scope: ReadScope, session_id: SessionId | None) -> ChatSession | None:
        if session_id is None:
            return None
        found = await find_owned(scope, self.actor, session_id)
        if found is None:
            raise SessionNotFound
        return found

    async def _version(self, scope: ReadScope, choice: Choice | None) -> PromptTemplateVersion | None:
        if choice is None:
            return None
        try:
            return await resolve(scope, self.actor, choice)
        except TemplateNotFound as error:
            # Here, it is one name among others.
            error.field = "templateName" if error.field == "name" else error.field
            raise

    async def _text(
        self, scope: ReadScope, version: PromptTemplateVersion | None, request: ExecutePromptRequest
    ) -> str:
        if version is not None:
            return _rendered(version, request)
        if request.generated_id is None:
            return request.content or ""
        text = await self.generated.text_of(scope, self.actor, request.generated_id)
        require_length(text, "promptGenerationId", at_least=1, at_most=LONGEST_CONTENT)
        return text


def _rendered(version: PromptTemplateVersion, request: ExecutePromptRequest) -> str:
    text = render(version.content, version.declared, request.variables, at_most=LONGEST_CONTENT)
    require_length(text, "variables", at_least=1, at_most=LONGEST_CONTENT)
    return text
