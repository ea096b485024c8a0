"""Executing a prompt, and waiting for its answer where that is wanted."""

import strawberry
from strawberry import field

from app.execution.graphql.inputs import ExecutePromptInput
from app.execution.graphql.types import PromptExecutionType
from app.execution.loaders import PromptExecutionById
from app.execution.pipeline import PromptExecutions
from app.execution.values import SavedExecution
from app.execution.waiting import wait_for_end
from app.graph.context import Info
from app.graph.payloads import Changed, CodedWarning, Payload, mutation
from app.idempotency.graphql import client_key
from app.messages.graphql import ChatMessageType
from app.messages.loaders import MessageById
from app.messages.values import MessageId
from app.runs.following import Completions
from app.runs.graphql import RunType
from app.runs.loaders import RunById
from app.sessions.graphql import ChatSessionType
from app.sessions.loaders import SessionById

_ONLY_HOW_IT_IS_ANSWERED = frozenset({"wait"})


@strawberry.type(description="What executePrompt answers.")
class ExecutePromptPayload(Payload):
    prompt_execution: PromptExecutionType | None = field(description="The execution.")
    session: ChatSessionType | None = field(description="The session, existing or new.")
    user_message: ChatMessageType | None = field(description="The prompt as the model is asked it.")
    message: ChatMessageType | None = field(description="The answer, or the message that it will be.")
    run: RunType | None = field(description="The run that writes it: subscribe to `messageCompletion` with its id.")


@strawberry.type
class ExecutionMutations:
    @mutation(
        ExecutePromptPayload,
        "Have a model answer a prompt of the library, or a text; returns at once with the run to follow, or with "
        "`wait` when it has ended.",
    )
    async def execute_prompt(self, info: Info, input: ExecutePromptInput) -> Changed:
        context = info.context
        key = client_key(info, input, besides=_ONLY_HOW_IT_IS_ANSWERED)
        request = input.request(key)
        executions = context.service(PromptExecutions)
        earlier = await executions.earlier(context.database, context.actor, key)
        if earlier is not None:
            saved, deduplicated = earlier, True
        else:
            executor = executions.for_request(context.database, context.actor)
            result = await executor.execute_prompt(request, context.actor.correlation_id)
            saved, deduplicated = result.execution, result.metadata.deduplicated
        warnings = await _waited(info, saved, executions.wait_seconds) if input.wait else []
        return await _changed(info, saved, deduplicated, warnings)


async def _waited(info: Info, saved: SavedExecution, at_most_seconds: float) -> list[CodedWarning]:
    completions = info.context.service(Completions)
    warning = await wait_for_end(completions, info.context.actor, saved.run_id, at_most_seconds)
    return [] if warning is None else [warning]


async def _changed(info: Info, saved: SavedExecution, deduplicated: bool, warnings: list[CodedWarning]) -> Changed:
    """The execution with its run, messages and session, as they are now."""
    loader = info.context.loader
    execution, run = await loader(PromptExecutionById).load(saved.id), await loader(RunById).load(saved.run_id)
    ids = [MessageId(run.message_id), MessageId(run.prompt_message_id)] if run else []
    found = await loader(MessageById).load_many(ids)
    message, question = found if run else (None, None)
    session = await loader(SessionById).load(saved.session_id)
    objects = {
        "prompt_execution": execution, "run": run, "message": message, "user_message": question, "session": session,
    }  # fmt: skip
    return Changed(objects, deduplicated, warnings)
