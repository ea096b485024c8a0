"""How a run goes from one turn to the next: calls of tools, the wait for what comes of them, and the results."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import assert_never

from app.core.actor import Actor, TenantId
from app.core.ids import new_id
from app.db.scopes import UnitOfWork
from app.llm.port import ToolCallRequested
from app.messages import service as messages
from app.messages.models import ChatMessage
from app.messages.pipeline import MessagePipeline
from app.messages.values import LONGEST_CONTENT, Draft, MessageId, MessageRole, MessageStatus, NewMessage
from app.runs import repository, service
from app.runs.accounts import Accounts
from app.runs.models import Run
from app.runs.service import Claimed
from app.runs.values import Ending, EntryKind, RunEntry, RunId, RunRef, RunStatus
from app.sessions import service as sessions
from app.sessions.values import SessionId
from app.toolbox.service import schedule_execution, wrong_call
from app.toolbox.values import OfferedTool
from app.tools import service as tools
from app.tools.models import ToolCall, ToolExecution
from app.tools.values import (
    APPROVAL_LASTS,
    LONGEST_ARGUMENTS,
    LONGEST_NAME,
    ExecutionStatus,
    NewToolCall,
    NewToolExecution,
    ToolCallId,
    ToolExecutionId,
)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that a model asked for, looked at."""

    requested: ToolCallRequested
    tool: OfferedTool | None
    """What it is a call of; None where nothing of the name was offered."""
    wrong: str | None
    """Why it cannot be executed, in words for the model."""

    @property
    def needs_approval(self) -> bool:
        """Whether a person is to be asked: of a call that cannot be executed, nobody is."""
        return self.wrong is None and self.tool is not None and self.tool.requires_approval


def looked_at(offered: Sequence[OfferedTool], requested: ToolCallRequested) -> Call:
    """A call as a model wrote it, with the tool that it is of, and what is wrong with it."""
    tool = next((tool for tool in offered if tool.name == requested.name), None)
    return Call(requested, tool, wrong_call(offered, requested.name, requested.arguments))


@dataclass(frozen=True, slots=True)
class Turns:
    """One per process, without state. Callers hold a transaction, as those of the service do."""

    messages: MessagePipeline
    accounts: Accounts
    approval_lasts: timedelta = APPROVAL_LASTS

    async def call_tool(self, uow: UnitOfWork, claimed: Claimed, call: Call, seq: int) -> RunEntry | None:
        """Add a call and its execution to the message of a claimed run, and to its log as line `seq`.

        One that is wrong has failed with that, which its model is told in the next turn. None when the claim was lost.
        """
        run = await service.held(uow, claimed)
        if run is None:
            return None
        asked = call.requested
        new = NewToolCall(
            ToolCallId(new_id()),
            MessageId(run.message_id),
            asked.name[:LONGEST_NAME],
            # Of longer ones the beginning is kept: they have failed, and are not executed.
            asked.arguments[:LONGEST_ARGUMENTS],
            asked.call_id or None,
        )
        added = (await tools.add(uow, claimed.actor, new, None)).tool_call
        execution = await self._execute(uow, claimed.actor, run, call, ToolCallId(added.id))
        line = RunEntry(seq, EntryKind.TOOL_CALL, {"toolCallId": str(added.id), "toolExecutionId": str(execution.id)})
        await repository.call_tool(uow, claimed.claim, line)
        return line

    async def finish(self, uow: UnitOfWork, claimed: Claimed, ending: Ending, *, called: bool) -> Run | None:
        """End a run that this worker has claimed, or only its turn, where the model has `called` tools and stopped.

        Where their executions have all ended by then, the run goes on at once. None when the claim was lost.
        """
        if not called or ending.status is not RunStatus.COMPLETED:
            return await service.finish(uow, self.accounts, claimed, ending)
        resting = replace(ending, status=RunStatus.REQUIRES_ACTION)
        rested = await service.finish(uow, self.accounts, claimed, resting)
        return await self._go_on(uow, claimed.actor, rested) if rested else None

    async def decided_or_ended(self, uow: UnitOfWork, actor: Actor, execution: ToolExecution) -> None:
        """An execution that a run asked for was approved, or has ended: as `OutcomeListener`.

        The session's lock, which the transaction holds, orders those who bring results: one of them is the last.
        """
        assert execution.run_id is not None  # noqa: S101 - of others, nobody is told
        run = await repository.lock(uow, RunRef(TenantId(execution.tenant_id), RunId(execution.run_id)))
        if run is None or run.message_id != execution.message_id:
            return
        if not ExecutionStatus(execution.status).ended:
            await self._hand_out(uow, run, execution)
        elif run.status == RunStatus.REQUIRES_ACTION:
            await self._go_on(uow, actor, run)

    async def remind(self, uow: UnitOfWork, ref: RunRef) -> None:
        """Give a run its turn, where nobody has it, what it waited for, where that is there, or else a job."""
        found = await repository.by_ref(uow, ref)
        run = await service.locked(uow, found) if found else None
        if run is None or RunStatus(run.status).ended:
            return
        if run.waiting:
            await service.next_turn(uow, service.owner_of(run), SessionId(run.session_id))
        elif run.status == RunStatus.REQUIRES_ACTION:
            await self._go_on(uow, service.owner_of(run), run)
        else:
            await service.schedule(uow, ref, run.turns)

    async def _execute(self, uow: UnitOfWork, actor: Actor, run: Run, call: Call, call_id: ToolCallId) -> ToolExecution:
        new = NewToolExecution(
            ToolExecutionId(new_id()),
            call_id,
            required_approval=call.needs_approval,
            run_id=run.id,
            approval_lasts=self.approval_lasts,
        )
        execution = await tools.request(uow, actor, new)
        if call.wrong is not None:
            failed = {"status": ExecutionStatus.FAILED, "error": call.wrong}
            return (await tools.update(uow, actor, new.id, failed, None)).execution
        if call.tool is not None and call.tool.on_server and not call.needs_approval:
            await schedule_execution(uow, execution, run.correlation_id)
        return execution

    async def _hand_out(self, uow: UnitOfWork, run: Run, execution: ToolExecution) -> None:
        """Have an approved execution run by the server, where the tool is the server's: its client does it else."""
        terms = await repository.terms_of(uow, service.ref_of(run))
        if any(tool.on_server for tool in terms.tools if tool.name == execution.tool_name):
            await schedule_execution(uow, execution, run.correlation_id)

    async def _go_on(self, uow: UnitOfWork, actor: Actor, run: Run) -> Run | None:
        """Begin the next turn of a run that waits, once all it waits for has ended: results, the next message, a job.

        The run stays as it is while something is still to come.
        """
        message_id = MessageId(run.message_id)
        executions = await tools.of_run_turn(uow, actor, message_id)
        asked = [execution for execution in executions if execution.run_id == run.id]
        if not all(ExecutionStatus(execution.status).ended for execution in asked):
            return run
        answer = await self._grow(uow, actor, run, asked)
        gone_on = await repository.go_on(uow, actor, run, MessageId(answer.id))
        if gone_on is not None:
            uow.announce(run.id)
            await service.schedule(uow, service.ref_of(run), gone_on.turns)
        return gone_on

    async def _grow(self, uow: UnitOfWork, actor: Actor, run: Run, asked: Sequence[ToolExecution]) -> ChatMessage:
        """Append the results of a turn and the message that is written next, which is given.

        What was said behind the calling message meanwhile is moved behind that: it follows the whole answer.
        """
        session_id, message_id = SessionId(run.session_id), MessageId(run.message_id)
        before = await sessions.lock(uow, actor, session_id)
        calls = {call.id: call for call in await tools.calls_of_turn(uow, actor, message_id)}
        behind = [message_id]
        for execution in asked:
            told = await self._tell(uow, actor, run, behind[-1], calls[execution.tool_call_id], execution)
            behind.append(told)
        answer = await expected(self.messages, uow, actor, session_id, behind[-1])
        written = [*behind[1:], MessageId(answer.id)]
        await messages.move_answers(uow, actor, session_id, message_id, onto=written[-1], but=written[0])
        if before is not None and before.active_leaf_id not in (None, message_id):
            parent = before.active_leaf_parent_id
            await sessions.restore_leaf(
                uow, actor, session_id, before.active_leaf_id, answer.id if parent == message_id else parent
            )
        return answer

    async def _tell(
        self, uow: UnitOfWork, actor: Actor, run: Run, parent: MessageId, call: ToolCall, execution: ToolExecution
    ) -> MessageId:
        """Append what came of a call to the conversation, behind `parent`."""
        text = result_of(execution)[:LONGEST_CONTENT]
        draft = Draft(
            SessionId(run.session_id), MessageRole.TOOL, text, parent, tool_call_id=call.call_id or str(call.id)
        )
        counted = self.accounts.tokens_in(text, run.model.partition(":")[2])
        new = NewMessage(MessageId(new_id()), draft, counted.tokens, counted.estimated, intent=None, pipeline_facts={})
        return MessageId((await self.messages.store(uow, actor, new, None)).message.id)


async def expected(
    pipeline: MessagePipeline, uow: UnitOfWork, actor: Actor, session_id: SessionId, parent: MessageId
) -> ChatMessage:
    """A new message that a run is to write, behind `parent`."""
    draft = Draft(session_id, MessageRole.ASSISTANT, "", parent, MessageStatus.PENDING)
    new = NewMessage(MessageId(new_id()), draft, 0, token_count_estimated=False, intent=None, pipeline_facts={})
    return (await pipeline.store(uow, actor, new, None)).message


def result_of(execution: ToolExecution) -> str:
    """What the model is told of an execution that has ended."""
    status = ExecutionStatus(execution.status)
    match status:
        case ExecutionStatus.COMPLETED:
            return execution.output or ""
        case ExecutionStatus.FAILED:
            return f"The call failed: {execution.error or execution.output or 'the tool does not say why'}"
        case ExecutionStatus.CANCELLED if execution.approved is False:
            said = f" They say: {execution.decision_comment}" if execution.decision_comment else ""
            return f"The person did not approve this call; it was not carried out.{said}"
        case ExecutionStatus.CANCELLED:
            return f"The call was not carried out: {execution.error or 'it was cancelled'}"
        case ExecutionStatus.PENDING | ExecutionStatus.RUNNING | ExecutionStatus.AWAITING_APPROVAL:
            raise ValueError(f"the execution {execution.id} has not ended")
        case _:
            assert_never(status)
