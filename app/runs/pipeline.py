"""How an answer is asked for, asked for again, and called off: each in one transaction, with the job that works it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar
from uuid import UUID

from app.budgets.service import book
from app.core.actor import Actor
from app.core.ids import new_id
from app.core.text import require_range
from app.db.database import Database
from app.db.scopes import UnitOfWork
from app.idempotency.service import earlier_subject
from app.idempotency.values import ClientKey
from app.jobs.values import JobKind
from app.llm.registry import Models
from app.llm.window import ContextWindow
from app.messages.errors import MessageDeleted, MessageNotFound
from app.messages.pipeline import MessagePipeline
from app.messages.service import find_owned as find_message
from app.messages.values import MessageId, MessageRole
from app.runs import repository, service
from app.runs.accounts import Accounts
from app.runs.conversation import part_of
from app.runs.errors import NothingToAnswer, NothingToRetry, RunEnded
from app.runs.models import Run
from app.runs.turns import expected
from app.runs.values import HOTTEST, Asked, NewRun, OnBusy, Prepared, RunId, RunStatus, Wanted, title_of
from app.runs.weighing import weigh
from app.sessions import service as sessions
from app.sessions.errors import SessionNotFound
from app.sessions.models import ChatSession
from app.sessions.values import NewSession, SessionId
from app.toolbox.service import Toolbox
from app.toolbox.values import GivenTool

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """The run after a change, and whether the change had been made before by the same request."""

    run: Run
    deduplicated: bool = False


class RunListener(Protocol):
    """A room above that keeps what its questions came from: every answer to one of them is told of."""

    async def asked_again(self, uow: UnitOfWork, actor: Actor, run: Run) -> None:
        """A run that answers a question once more was stored, in this transaction, which holds its session's lock."""


@dataclass(frozen=True, slots=True)
class RunPipeline:
    """One per process, without state."""

    messages: MessagePipeline
    models: Models
    accounts: Accounts
    toolbox: Toolbox
    listeners: tuple[RunListener, ...] = ()

    async def send(self, database: Database, actor: Actor, asked: Asked, key: ClientKey | None) -> RunOutcome:
        """Store the person's message, the message that will answer it, and the run that writes that.

        Without a session a new one is created for it. ValidationError, SessionNotFound, KeyReused, RunActive,
        TooManyWaiting, ProviderNotConfigured, WindowExceeded; then nothing is stored.
        """
        prepared = await self.prepare(actor, asked)
        return await self._once(database, actor, key, prepared.run_id, lambda uow: self.take_on(uow, actor, prepared))

    async def prepare(self, actor: Actor, asked: Asked) -> Prepared:
        """Check, understand and count what is asked: what takes time, before anything is locked. ValidationError."""
        wanted = await self._checked(asked.wanted, asked.tools)
        session_id = asked.session_id or SessionId(new_id())
        question = await self.messages.prepare(actor, asked.to_append(session_id))
        weighed = await weigh(asked.part, wanted.tools, wanted.output)
        return Prepared(asked, session_id, question, wanted, weighed, RunId(new_id()))

    async def take_on(
        self, uow: UnitOfWork, actor: Actor, prepared: Prepared, session: ChatSession | None = None
    ) -> RunOutcome:
        """Store what was prepared, inside the caller's transaction: both messages, the run and its job.

        `session` is what `session_for` gave, where the transaction has asked for it before.

        SessionNotFound, RunActive, TooManyWaiting, ProviderNotConfigured, WindowExceeded.
        """
        into = session or await self.session_for(uow, actor, prepared)
        asked, session_id = prepared.asked, prepared.session_id
        waiting = await service.make_way(uow, actor, self.accounts, session_id, asked.on_busy)
        stored = await self.messages.store(uow, actor, prepared.question, None)
        chosen = self._chosen(prepared.wanted, into)
        prepared.weighed.require_room(self._window(chosen), "content")
        question = MessageId(stored.message.id)
        return await self._queue(uow, actor, session_id, question, chosen, prepared.run_id, waiting)

    async def session_for(self, uow: UnitOfWork, actor: Actor, prepared: Prepared) -> ChatSession:
        """The session that something prepared goes into, locked, or created where none was named. SessionNotFound."""
        if prepared.asked.session_id is None:
            return await self._start_session(uow, actor, prepared.session_id, prepared.asked)
        return await self._locked(uow, actor, prepared.session_id)

    async def regenerate(
        self,
        database: Database,
        actor: Actor,
        message_id: MessageId,
        wanted: Wanted,
        on_busy: OnBusy,
        key: ClientKey | None,
        tools: Sequence[GivenTool] = (),
    ) -> RunOutcome:
        """Have the question behind an assistant's message answered once more, beside the answers there are.

        MessageNotFound, NothingToAnswer, and as of `send`.
        """
        checked = await self._checked(wanted, tools)
        run_id = RunId(new_id())

        async def work(uow: UnitOfWork) -> RunOutcome:
            answer = await find_message(uow, actor, message_id)
            if answer is None:
                raise MessageNotFound
            parent = answer.parent_message_id and await find_message(uow, actor, MessageId(answer.parent_message_id))
            if answer.role != MessageRole.ASSISTANT or not parent:
                raise NothingToAnswer
            if parent.deleted_at is not None:
                raise MessageDeleted
            weighed = await weigh(part_of(parent), checked.tools, checked.output)
            session_id = SessionId(answer.session_id)
            session = await self._locked(uow, actor, session_id)
            waiting = await service.make_way(uow, actor, self.accounts, session_id, on_busy)
            chosen = self._chosen(checked, session)
            weighed.require_room(self._window(chosen), "messageId")
            question = MessageId(parent.id)
            outcome = await self._queue(uow, actor, session_id, question, chosen, run_id, waiting)
            return await self._told(uow, actor, outcome)

        return await self._once(database, actor, key, run_id, work)

    async def retry(self, database: Database, actor: Actor, run_id: RunId, key: ClientKey | None) -> RunOutcome:
        """As of `retry_within`, in a transaction of its own; of the same request, the first answer. KeyReused."""
        new_run_id = RunId(new_id())
        return await self._once(
            database, actor, key, new_run_id, lambda uow: self.retry_within(uow, actor, run_id, new_run_id)
        )

    async def retry_within(
        self, uow: UnitOfWork, actor: Actor, run_id: RunId, new_run_id: RunId, *, on_end: JobKind | None = None
    ) -> RunOutcome:
        """Ask again what a run did not finish: a new run with the same model, tools and schema of the answer.

        What the other had written stays, and the new one goes on behind the results of tools that it had got: these are
        not called again. Who waited for the other's end is not told of the new one's: that is `on_end`.

        RunNotFound, NothingToRetry, RunActive, ProviderNotConfigured, WindowExceeded.
        """
        found = await service.required(uow, actor, run_id)
        session_id = SessionId(found.session_id)
        terms = await repository.terms_of(uow, service.ref_of(found))
        asked = await find_message(uow, actor, MessageId(found.prompt_message_id))
        weighed = await weigh(part_of(asked), terms.tools, terms.output) if asked else None
        await self._locked(uow, actor, session_id)
        run = await service.required(uow, actor, run_id)
        status = RunStatus(run.status)
        if not status.ended or status is RunStatus.COMPLETED:
            raise NothingToRetry(status)
        waiting = await service.make_way(uow, actor, self.accounts, session_id, OnBusy.REJECT)
        model = self.models.resolve(run.model).id
        wanted = Wanted(model, run.temperature, run.max_output_tokens, terms.tools, terms.output, on_end)
        if weighed is not None:
            weighed.require_room(self._window(wanted), "runId")
        question = MessageId(run.prompt_message_id)
        written = await find_message(uow, actor, MessageId(run.message_id))
        behind = MessageId(written.parent_message_id) if written and written.parent_message_id else None
        outcome = await self._queue(
            uow, actor, session_id, question, wanted, new_run_id, waiting, retry_of=run_id, behind=behind
        )
        return await self._told(uow, actor, outcome)

    async def cancel(self, database: Database, actor: Actor, run_id: RunId, key: ClientKey | None) -> RunOutcome:
        """End a run here and now, wherever it is worked, and keep what it has written. Twice is once.

        Its worker is told, and can store nothing more even if it never hears of it. RunNotFound, RunEnded, KeyReused.
        """

        async def work(uow: UnitOfWork) -> RunOutcome:
            found = await service.required(uow, actor, run_id)
            run = await service.locked(uow, found)
            if run is None:
                return RunOutcome(await service.required(uow, actor, run_id))
            status = RunStatus(run.status)
            if status is RunStatus.CANCELLED:
                return RunOutcome(run, deduplicated=True)
            if status.ended:
                raise RunEnded(status)
            ended = await service.end(uow, actor, self.accounts, run, service.CANCELLED)
            await service.next_turn(uow, actor, SessionId(run.session_id))
            return RunOutcome(ended or run)

        return await self._once(database, actor, key, run_id, work)

    async def _once(
        self,
        database: Database,
        actor: Actor,
        key: ClientKey | None,
        subject: RunId,
        work: Callable[[UnitOfWork], Awaitable[RunOutcome]],
    ) -> RunOutcome:
        """Do the work in a transaction, unless the request was here before: then its first answer."""

        async def gated(uow: UnitOfWork) -> RunOutcome:
            earlier: UUID | None = await earlier_subject(uow, actor, key, subject)
            if earlier is None:
                return await work(uow)
            return RunOutcome(await service.required(uow, actor, RunId(earlier)), deduplicated=True)

        return await database.transact(gated)

    async def _told(self, uow: UnitOfWork, actor: Actor, outcome: RunOutcome) -> RunOutcome:
        for listener in self.listeners:
            await listener.asked_again(uow, actor, outcome.run)
        return outcome

    async def _start_session(self, uow: UnitOfWork, actor: Actor, session_id: SessionId, asked: Asked) -> ChatSession:
        model = self.models.resolve(self.models.default if asked.wanted.model is None else asked.wanted.model)
        title = title_of(asked.content) if asked.title is None else asked.title
        new = NewSession(
            session_id, title=title, model=model.name, provider=model.provider, project_id=asked.project_id
        )
        created = (await sessions.create(uow, actor, new, None)).session
        assert created is not None  # noqa: S101 - only a deletion has none
        return created

    async def _locked(self, uow: UnitOfWork, actor: Actor, session_id: SessionId) -> ChatSession:
        session = await sessions.lock(uow, actor, session_id)
        if session is None:
            raise SessionNotFound
        return session

    async def _checked(self, wanted: Wanted, tools: Sequence[GivenTool]) -> Wanted:
        """What is wanted, with the tools that it offers."""
        require_range(wanted.temperature, "temperature", at_least=0, at_most=HOTTEST)
        require_range(wanted.max_output_tokens, "maxOutputTokens", at_least=1, at_most=2**31 - 1)
        return replace(wanted, tools=await self.toolbox.offer(tools)) if tools else wanted

    def model_for(self, wanted: Wanted, session: ChatSession | None) -> str:
        """The model that was asked for, else the session's where it names a provider too, else the default.

        Whether it can be asked is told by `models.resolve`.
        """
        if wanted.model is not None:
            return wanted.model
        named = session is not None and session.provider and session.model
        return f"{session.provider}:{session.model}" if session is not None and named else self.models.default

    def _chosen(self, wanted: Wanted, session: ChatSession) -> Wanted:
        return replace(wanted, model=self.models.resolve(self.model_for(wanted, session)).id)

    def _window(self, chosen: Wanted) -> ContextWindow:
        assert chosen.model is not None  # noqa: S101 - it was chosen
        return self.models.windows.of(chosen.model, chosen.max_output_tokens)

    async def _queue(
        self,
        uow: UnitOfWork,
        actor: Actor,
        session_id: SessionId,
        question: MessageId,
        wanted: Wanted,
        run_id: RunId,
        waiting: bool,
        retry_of: RunId | None = None,
        behind: MessageId | None = None,
    ) -> RunOutcome:
        """Store the message that is to be written, its run, and, where it is its turn, the job that works it.

        `behind` is the message that it follows, where that is not the question but what tools said to it.
        """
        answer = await expected(self.messages, uow, actor, session_id, question if behind is None else behind)
        new = NewRun(run_id, session_id, question, wanted, waiting, retry_of)
        bounded = self.accounts.bounded_output
        run = await repository.queue(uow, actor, new, answer.id, answer.sequence_number, bounded)
        if not waiting:
            await service.schedule(uow, service.ref_of(run), run.turns)
        # What it will read is added by the worker that has read it, before the model is called.
        book(uow, service.reservation(self.accounts, run, prompt_tokens=0))
        return RunOutcome(run)
