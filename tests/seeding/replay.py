"""Takes the steps of a story through the rooms' own services, in another tenant, with the ids of the seeded rows."""

from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, assert_never
from uuid import UUID

from app.attachments import service as attachments
from app.attachments.content_types import content_type_of
from app.attachments.values import AttachmentId, NewAttachment
from app.core.actor import Actor, CorrelationId, TenantId
from app.core.ids import new_id
from app.db.database import Database
from app.db.scopes import UnitOfWork
from app.identity.service import local_actor
from app.messages import service as messages
from app.messages.pipeline import MessagePipeline
from app.messages.values import Draft, Generation, MessageId, MessageRole, MessageStatus, NewMessage
from app.runs import repository as run_statements
from app.runs import service as runs
from app.runs.accounts import BOUNDED_OUTPUT, Accounts
from app.runs.values import Ending, EntryKind, NewRun, RunEntry, RunId, RunRef, RunStatus, Wanted
from app.seeding.values import (
    Answered,
    AnyStep,
    Attached,
    Closed,
    Deleted,
    Executed,
    Filed,
    Kept,
    Reported,
    Said,
    Story,
    ToolAnswered,
)
from app.sessions import service as sessions
from app.sessions.values import AgentStateId, NewAgentState, NewMetadata, NewSession, SessionId
from app.tools import service as tools
from app.tools.values import (
    Decision,
    ExecutionStatus,
    NewToolCall,
    NewToolExecution,
    ToolCallId,
    ToolExecutionId,
)
from tests.worlds import rows

REPLAYED = TenantId("replayed")


@dataclass(frozen=True, slots=True)
class Ids:
    """Those of the seeded rows of a session."""

    messages: dict[int, UUID]
    runs: dict[UUID, UUID]
    calls: dict[str, UUID]
    executions: dict[UUID, UUID]
    files: dict[UUID, UUID]
    states: dict[str, UUID]

    @classmethod
    async def of(cls, dsn: str, session_id: UUID) -> "Ids":
        """As they are stored."""
        found = await rows(dsn, "SELECT sequence_number, id FROM chat_messages WHERE session_id = $1", session_id)
        ended = await rows(dsn, "SELECT message_id, id FROM runs WHERE session_id = $1", session_id)
        calls = await rows(
            dsn,
            "SELECT c.call_id, c.id FROM tool_calls c JOIN chat_messages m ON m.id = c.message_id "
            "WHERE m.session_id = $1",
            session_id,
        )
        executions = await rows(dsn, "SELECT tool_call_id, id FROM tool_executions WHERE session_id = $1", session_id)
        files = await rows(
            dsn,
            "SELECT a.message_id, a.id FROM message_attachments a JOIN chat_messages m ON m.id = a.message_id "
            "WHERE m.session_id = $1",
            session_id,
        )
        states = await rows(dsn, "SELECT agent_id, id FROM agent_states WHERE session_id = $1", session_id)
        return cls(
            {row["sequence_number"]: row["id"] for row in found},
            {row["message_id"]: row["id"] for row in ended},
            {row["call_id"]: row["id"] for row in calls},
            {row["tool_call_id"]: row["id"] for row in executions},
            {row["message_id"]: row["id"] for row in files},
            {row["agent_id"]: row["id"] for row in states},
        )


class Replay:
    """Of one story."""

    def __init__(
        self, database: Database, pipeline: MessagePipeline, accounts: Accounts, story: Story, ids: Ids
    ) -> None:
        self._database, self._pipeline, self._accounts = database, pipeline, accounts
        self._story, self._ids = story, ids
        self._session = SessionId(story.session_id)
        self._actor: Actor = local_actor(story.user, REPLAYED, CorrelationId(story.correlation))
        self._messages = 0

    async def all(self) -> None:
        """Create the session and take every step."""
        story = self._story
        filed = NewMetadata(story.tags, story.custom_data)
        new = NewSession(
            self._session, story.title, story.description, story.agent_id, story.model.name, story.model.provider,
            metadata=filed,
        )  # fmt: skip
        await self._transact(lambda uow: sessions.create(uow, self._actor, new, None))
        for step in story.steps:
            await self._take(step)

    async def _take(self, step: AnyStep) -> None:
        match step:
            case Said():
                parent = MessageId(self._ids.messages[step.parent]) if step.parent else None
                await self._append(Draft(self._session, step.role, step.content, parent))
            case Reported():
                await self._report(step)
            case Executed():
                await self._execute(step)
            case Attached():
                await self._attach(step)
            case ToolAnswered():
                await self._append(Draft(self._session, MessageRole.TOOL, step.content, tool_call_id=step.call_id))
            case Answered():
                await self._answer(step)
            case Deleted():
                number = MessageId(self._ids.messages[step.number])
                await self._transact(lambda uow: messages.delete(uow, self._actor, number, None))
            case Filed():
                filed = {"tags": list(step.tags), "summary": step.summary}
                await self._transact(lambda uow: sessions.set_metadata(uow, self._actor, self._session, filed, None))
            case Closed():
                closed = {"status": step.status}
                await self._transact(lambda uow: sessions.update(uow, self._actor, self._session, closed, None))
            case Kept():
                state_id = AgentStateId(self._ids.states[step.agent_id])
                kept = NewAgentState(state_id, self._session, step.agent_id, step.state)
                await self._transact(lambda uow: sessions.set_agent_state(uow, self._actor, kept, None))
            case _:
                assert_never(step)

    async def _append(self, draft: Draft) -> MessageId:
        self._messages += 1
        message_id = MessageId(self._ids.messages[self._messages])
        new = replace(await self._pipeline.prepare(self._actor, draft), id=message_id)
        await self._transact(lambda uow: self._pipeline.store(uow, self._actor, new, None))
        return message_id

    async def _report(self, step: Reported) -> None:
        generation = Generation(model=step.model, processing_time_ms=step.duration_ms)
        message_id = await self._append(
            Draft(
                self._session, MessageRole.ASSISTANT, step.content, generation=generation, calls_tools=bool(step.calls)
            )
        )
        for call in step.calls:
            call_id, told = ToolCallId(self._ids.calls[call.call_id]), call.result is not None
            new = NewToolCall(
                call_id, message_id, call.name, call.arguments, call.call_id, call.result, True if told else None, None,
                self._story.began_at if told else None, call.duration_ms,
            )  # fmt: skip
            await self._transact(lambda uow, new=new: tools.add(uow, self._actor, new, None))

    async def _execute(self, step: Executed) -> None:
        call_id = ToolCallId(self._ids.calls[step.call_id])
        execution_id = ToolExecutionId(self._ids.executions[call_id])
        agent_id = self._story.agent_id
        new = NewToolExecution(execution_id, call_id, agent_id=agent_id, required_approval=step.asks)
        await self._transact(lambda uow: tools.execute(uow, self._actor, new, None))
        if step.verdict is not None:
            decision = Decision(execution_id, step.verdict.approve, step.verdict.comment)
            await self._transact(lambda uow: tools.decide(uow, self._actor, decision, None))
        if not step.runs:
            return
        ended = (
            {"status": ExecutionStatus.COMPLETED, "output": step.output}
            if step.error is None
            else {"status": ExecutionStatus.FAILED, "error": step.error}
        )
        for changes in ({"status": ExecutionStatus.RUNNING}, ended):
            await self._transact(
                lambda uow, changes=changes: tools.update(uow, self._actor, execution_id, changes, None)
            )

    async def _attach(self, step: Attached) -> None:
        message_id, content = MessageId(self._ids.messages[step.number]), step.content.encode()
        # A file whose message was deleted later has gone with it: any id is as good.
        file_id = AttachmentId(self._ids.files.get(message_id, new_id()))
        new = NewAttachment(
            file_id, message_id, step.file_name, content_type_of(content), sha256(content).digest(), content
        )
        await self._transact(lambda uow: attachments.add(uow, self._actor, new, None))

    async def _answer(self, step: Answered) -> None:
        self._messages += 1
        message_id = MessageId(self._ids.messages[self._messages])
        prompt = MessageId(self._ids.messages[step.prompt])
        run = RunRef(REPLAYED, RunId(self._ids.runs[message_id]))
        retried = RunId(self._ids.runs[self._ids.messages[step.retry_of]]) if step.retry_of else None

        async def ask(uow: UnitOfWork) -> None:
            draft = Draft(self._session, MessageRole.ASSISTANT, "", prompt, MessageStatus.PENDING)
            expected = NewMessage(message_id, draft, 0, token_count_estimated=False, intent=None, pipeline_facts={})
            stored = (await self._pipeline.store(uow, self._actor, expected, None)).message
            new = NewRun(run.id, self._session, prompt, Wanted(step.model), waiting=False, retry_of_id=retried)
            await run_statements.queue(uow, self._actor, new, stored.id, stored.sequence_number, BOUNDED_OUTPUT)

        await self._transact(ask)
        claimed = await self._transact(lambda uow: runs.claim(uow, self._accounts, run, step.in_view))
        assert claimed is not None
        for number in range(step.chunks):
            size = -(-len(step.content) // step.chunks)
            piece = RunEntry(number + 1, EntryKind.DELTA, {"text": step.content[number * size : (number + 1) * size]})
            async with self._database.single_statement() as uow:
                await run_statements.append(uow, [(claimed.claim, piece)], again=False)

        async def end(uow: UnitOfWork) -> None:
            if step.status is RunStatus.CANCELLED:
                locked = await runs.locked(uow, claimed.run)
                assert locked is not None
                await runs.end(uow, self._actor, self._accounts, locked, runs.CANCELLED)
                return
            stop_reason = "stop" if step.status is RunStatus.COMPLETED else None
            ending = Ending(step.status, step.failure, step.usage, stop_reason, step.duration_ms, dict(step.streaming))
            assert await runs.finish(uow, self._accounts, claimed, ending) is not None

        await self._transact(end)

    async def _transact(self, work: Any) -> Any:
        return await self._database.transact(work)
