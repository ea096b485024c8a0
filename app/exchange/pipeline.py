"""How a conversation is stored: its session, then message by message with its calls, each step once."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from app.attachments import service as attachments
from app.attachments.content_types import content_type_of
from app.attachments.values import AttachmentId, NewAttachment
from app.core.actor import Actor
from app.core.ids import new_id
from app.db.database import Database
from app.exchange.values import Conversation, ConversationKeys, ReadAttachment, ReadCall, ReadMessage, Totals
from app.idempotency.service import first_subjects
from app.idempotency.values import ClientKey
from app.messages.pipeline import MessagePipeline
from app.messages.values import Draft, MessageId, NewMessage
from app.sessions import service as sessions
from app.sessions.values import AgentStateId, PastAgentState, SessionId
from app.tools import service as tools
from app.tools.values import PastExecution, ToolCallId, ToolExecutionId

Known = Mapping[str, UUID]
"""What earlier runs stored of a conversation: ids by client keys."""


@dataclass(frozen=True, slots=True)
class ConversationPipeline:
    """Stores conversations, and counts in `totals` what it does."""

    database: Database
    messages: MessagePipeline
    totals: Totals

    async def store(self, actor: Actor, keys: ConversationKeys) -> None:
        """Store what is not there yet of a conversation, in its order; one query when all of it is there.

        Each step is a statement of its own, which its key lets through once: a run that ends at any moment leaves the
        first so many steps, and the next run takes the others. SessionNotFound when the session of an unfinished run
        was deleted since; a finished one that was deleted counts as there, and stays deleted.
        """
        async with self.database.read() as scope:
            known = await first_subjects(scope, actor, keys.all())
        session_id, created = await self._session(actor, keys.conversation, keys.session, known)
        added = created
        for state in keys.conversation.agent_states:
            added |= await self._agent_state(actor, session_id, state, keys.agent_state(state), known)
        stored: list[MessageId] = []
        for index, message in enumerate(keys.conversation.messages):
            # Named, and not left to the session's latest: somebody may have written into an unfinished conversation.
            parent = None if message.parent is None else stored[message.parent]
            message_id, is_new = await self._message(actor, message, session_id, parent, keys.message(index), known)
            stored.append(message_id)
            added |= is_new
            added |= await self._hanging(actor, keys, index, message_id, known)
        self.totals.count_conversation(created=created, added=added)

    async def _hanging(
        self, actor: Actor, keys: ConversationKeys, index: int, message_id: MessageId, known: Known
    ) -> bool:
        """Store what hangs on the message at `index`; whether any of it is new."""
        message = keys.conversation.messages[index]
        added = False
        for position, call in enumerate(message.calls):
            call_id, is_new = await self._call(actor, call, message_id, keys.call(index, position), known)
            added |= is_new
            if call.execution is not None:
                execution = replace(call.execution, message_id=message_id, tool_call_id=call_id)
                added |= await self._execution(actor, execution, keys.execution(index, position), known)
        for attachment in message.attachments:
            key = keys.attachment(index, attachment)
            added |= await self._attachment(actor, attachment, message_id, key, known)
        return added

    async def _agent_state(
        self, actor: Actor, session_id: SessionId, state: PastAgentState, key: ClientKey, known: Known
    ) -> bool:
        if key.key in known:
            return False
        new = replace(state, new=replace(state.new, id=AgentStateId(new_id()), session_id=session_id))
        async with self.database.single_statement(replayable=True) as uow:
            outcome = await sessions.take_over_agent_state(uow, actor, new, key)
        return not outcome.deduplicated

    async def _session(
        self, actor: Actor, conversation: Conversation, key: ClientKey, known: Known
    ) -> tuple[SessionId, bool]:
        if key.key in known:
            return SessionId(known[key.key]), False
        new = conversation.to_create(SessionId(new_id()))
        async with self.database.single_statement(replayable=True) as uow:
            times = conversation.created_at, conversation.updated_at
            outcome = await sessions.take_over(uow, actor, new, *times, key)
        return SessionId(outcome.session.id if outcome.session else new.id), not outcome.deduplicated

    async def _message(
        self,
        actor: Actor,
        message: ReadMessage,
        session_id: SessionId,
        parent: MessageId | None,
        key: ClientKey,
        known: Known,
    ) -> tuple[MessageId, bool]:
        if key.key in known:
            self.totals.messages.count(is_new=False)
            return MessageId(known[key.key]), False
        new = await self._understood(actor, message, message.to_append(session_id, parent))
        outcome = await self.messages.take_over(self.database, actor, message.to_take_over(new), key)
        self.totals.messages.count(is_new=not outcome.deduplicated)
        return MessageId(outcome.message.id), not outcome.deduplicated

    async def _understood(self, actor: Actor, message: ReadMessage, draft: Draft) -> NewMessage:
        if message.counted is None:
            return await self.messages.prepare(actor, draft)
        known = message.counted
        return NewMessage(MessageId(new_id()), draft, known.tokens, known.estimated, known.intent, known.pipeline_facts)

    async def _call(
        self, actor: Actor, call: ReadCall, message_id: MessageId, key: ClientKey, known: Known
    ) -> tuple[ToolCallId, bool]:
        if key.key in known:
            self.totals.calls.count(is_new=False)
            return ToolCallId(known[key.key]), False
        async with self.database.single_statement(replayable=True) as uow:
            new = call.to_add(ToolCallId(new_id()), message_id)
            outcome = await tools.take_over(uow, actor, new, call.created_at, key)
        self.totals.calls.count(is_new=not outcome.deduplicated)
        return ToolCallId(outcome.tool_call.id), not outcome.deduplicated

    async def _execution(self, actor: Actor, execution: PastExecution, key: ClientKey, known: Known) -> bool:
        if key.key in known:
            self.totals.executions.count(is_new=False)
            return False
        async with self.database.single_statement(replayable=True) as uow:
            new = replace(execution, id=ToolExecutionId(new_id()))
            outcome = await tools.take_over_execution(uow, actor, new, key)
        self.totals.executions.count(is_new=not outcome.deduplicated)
        return not outcome.deduplicated

    async def _attachment(
        self, actor: Actor, attachment: ReadAttachment, message_id: MessageId, key: ClientKey, known: Known
    ) -> bool:
        if key.key in known:
            self.totals.attachments.count(is_new=False)
            return False
        content = await asyncio.to_thread(attachment.content)
        found = await asyncio.to_thread(content_type_of, content)
        new = NewAttachment(AttachmentId(new_id()), message_id, attachment.file_name, found, attachment.digest, content)
        async with self.database.single_statement(replayable=True) as uow:
            outcome = await attachments.take_over(uow, actor, new, attachment.uploaded_at, key)
        self.totals.attachments.count(is_new=not outcome.deduplicated)
        return not outcome.deduplicated
