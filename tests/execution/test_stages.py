"""The stages by themselves: the third over a repository of the test's own, and what sequences them."""

import ast
import inspect
import textwrap
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import pytest

from app.core.actor import Actor
from app.core.errors import AppError
from app.core.ids import new_id
from app.db.errors import DatabaseUnavailable, Duplicate
from app.db.scopes import UnitOfWork
from app.execution.errors import AlreadyStored
from app.execution.persistence import PromptPersistence, WithinTransaction
from app.execution.stages import PromptExecutor
from app.execution.values import (
    Conversation,
    ExecutePromptRequest,
    LlmExecutionResult,
    NewExecution,
    PreparedPrompt,
    PromptPersistenceResult,
    SavedExecution,
)
from app.messages.values import Draft, MessageId, MessageRole, NewMessage
from app.prompts.errors import TemplateNotFound
from app.runs.models import Run
from app.runs.pipeline import RunOutcome
from app.runs.values import Asked, Prepared, RunId, Wanted
from app.runs.weighing import Weighed
from app.sessions.errors import SessionNotFound
from app.sessions.models import ChatSession
from app.sessions.values import SessionId

T = TypeVar("T")

AT = datetime(2026, 1, 31, tzinfo=UTC)
LATER = datetime(2026, 2, 1, tzinfo=UTC)


@dataclass
class Transactions:
    """Commits what does not fail, and knows what it did; of the first so many attempts, the database wants none."""

    refused: int = 0
    ends: list[str] = field(default_factory=list)
    told: list[object] = field(default_factory=list)

    def after_commit(self, action: object) -> None:
        """What is to be done then, which is not."""
        self.told.append(action)

    async def transact(self, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
        """As the database does it."""
        while True:
            try:
                done = await work(cast("UnitOfWork", self))
                if self.refused:
                    self.refused -= 1
                    raise DatabaseUnavailable  # noqa: TRY301 - a conflict at its commit
            except DatabaseUnavailable:
                self.ends.append("rolled back")
            except BaseException:
                self.ends.append("rolled back")
                raise
            else:
                self.ends.append("committed")
                return done


@dataclass
class Repository:
    """Notes what is asked of it, and fails where it is told to."""

    failing: dict[str, Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    saved: list[NewExecution] = field(default_factory=list)
    actors: set[str] = field(default_factory=set)

    async def ensure_conversation_exists(self, uow: UnitOfWork, actor: Actor, answer: Prepared) -> Conversation:
        """A session."""
        self._note("ensure", actor)
        return Conversation(cast("ChatSession", None), created=answer.asked.session_id is None)

    async def save(
        self, uow: UnitOfWork, actor: Actor, answer: Prepared, new: NewExecution, conversation: Conversation
    ) -> tuple[SavedExecution, RunOutcome]:
        """What was given, stored."""
        self._note("save", actor)
        self.saved.append(new)
        run = cast("Run", type("Queued", (), {"waiting": True}))
        return SavedExecution(new.id, new.session_id, new.run_id, AT), RunOutcome(run)

    async def update_conversation_timestamp(self, uow: UnitOfWork, actor: Actor, new: NewExecution) -> datetime:
        """A moment later."""
        self._note("update", actor)
        return LATER

    def _note(self, step: str, actor: Actor) -> None:
        self.asked.append(step)
        self.actors.add(actor.correlation_id)
        if step in self.failing:
            raise self.failing[step]


def a_result(session_id: SessionId | None = None) -> LlmExecutionResult:
    """What comes of the second stage for a text."""
    into = session_id or SessionId(new_id())
    question = NewMessage(MessageId(new_id()), Draft(into, MessageRole.USER, "Hello"), 1, False, None, {})
    asked = Asked(session_id, "Hello")
    answer = Prepared(asked, into, question, Wanted("local:echo"), Weighed(asked.part, (), {}), RunId(new_id()))
    return LlmExecutionResult(PreparedPrompt("Hello", "local:echo"), answer)


@pytest.mark.parametrize("named", [True, False])
async def test_persistence_says_what_was_stored(actor: Actor, named: bool) -> None:
    """S0-3, S0-17."""
    session_id = SessionId(new_id()) if named else None
    repository, transactions = Repository(), Transactions()
    result = a_result(session_id)
    request = ExecutePromptRequest(session_id, content="Hello", context_file_id="notes.pdf")

    stored = await PromptPersistence(transactions, actor, repository).persist(request, result, "trace-7")

    [new] = repository.saved
    assert (stored.execution.id, stored.execution.created_at) == (new.id, AT)
    assert stored.session_id == result.answer.session_id
    assert (stored.metadata.session_created, stored.metadata.session_updated_at) == (not named, LATER)
    assert (stored.metadata.waiting, stored.metadata.deduplicated, stored.metadata.attempts) == (True, False, 1)
    assert (new.run_id, new.user_message_id) == (result.run_id, result.answer.question.id)
    assert (new.template_id, new.version_id, new.context_file_id) == (None, None, "notes.pdf")
    assert repository.asked == ["ensure", "save", "update"]
    assert repository.actors == {"trace-7"}
    assert transactions.ends == ["committed"]


@pytest.mark.parametrize("error", [None, Duplicate("pk")])
async def test_prompt_is_stored_within_a_transaction_of_the_caller(actor: Actor, error: Exception | None) -> None:
    repository, caller = Repository({"save": error} if error else {}), Transactions()
    request = ExecutePromptRequest(None, content="Hello")

    async def work(uow: UnitOfWork) -> PromptPersistenceResult:
        persistence = PromptPersistence(WithinTransaction(uow), actor, repository)
        stored = await persistence.persist(request, a_result(), "trace-7")
        assert caller.ends == []
        return stored

    if error is None:
        assert (await caller.transact(work)).metadata.attempts == 1
    else:
        with pytest.raises(AlreadyStored):
            await caller.transact(work)

    assert caller.ends == ["rolled back" if error else "committed"]
    assert len(caller.told) == (0 if error else 1)


@pytest.mark.parametrize("step", ["ensure", "save", "update"])
@pytest.mark.parametrize(
    ("error", "told"),
    [(SessionNotFound(), SessionNotFound), (TemplateNotFound(), TemplateNotFound), (Duplicate("pk"), AlreadyStored)],
)
async def test_whatever_fails_in_between_is_rolled_back_and_told(
    actor: Actor, step: str, error: Exception, told: type[AppError]
) -> None:
    """S0-8, S0-10."""
    repository, transactions = Repository({step: error}), Transactions()

    with pytest.raises(told):
        await PromptPersistence(transactions, actor, repository).persist(
            ExecutePromptRequest(None, content="Hello"), a_result(), "trace-7"
        )

    assert repository.asked == ["ensure", "save", "update"][: len(repository.asked)]
    assert repository.asked[-1] == step
    assert transactions.ends == ["rolled back"]


async def test_conflict_is_tried_again_under_the_same_ids(actor: Actor) -> None:
    repository, transactions = Repository(), Transactions(refused=2)

    stored = await PromptPersistence(transactions, actor, repository).persist(
        ExecutePromptRequest(None, content="Hello"), a_result(), "trace-7"
    )

    assert transactions.ends == ["rolled back", "rolled back", "committed"]
    assert {new.id for new in repository.saved} == {stored.execution.id}
    assert stored.metadata.attempts == 3


@dataclass
class Stages:
    """All three, of which one may fail."""

    failing: str | None = None
    gone_through: list[str] = field(default_factory=list)

    async def prepare(self, request: ExecutePromptRequest) -> PreparedPrompt:
        """The first."""
        self._go("prepare")
        return PreparedPrompt("Hello", "local:echo")

    async def execute(self, prepared: PreparedPrompt, request: ExecutePromptRequest) -> LlmExecutionResult:
        """The second, of what came of the first."""
        self._go("execute")
        assert prepared.text == "Hello"
        return a_result()

    async def persist(
        self, request: ExecutePromptRequest, result: LlmExecutionResult, correlation_id: str
    ) -> PromptPersistenceResult:
        """The third, of what came of the second."""
        self._go("persist")
        assert (result.prompt.text, correlation_id) == ("Hello", "trace-7")
        return cast("PromptPersistenceResult", result)

    def _go(self, stage: str) -> None:
        self.gone_through.append(stage)
        if stage == self.failing:
            raise SessionNotFound


ORDER = ["prepare", "execute", "persist"]


@pytest.mark.parametrize("failing", [None, *ORDER])
async def test_stages_follow_each_other_and_none_follows_one_that_failed(failing: str | None) -> None:
    """S0-1."""
    stages = Stages(failing)
    executor = PromptExecutor(stages, stages, stages)

    if failing is None:
        await executor.execute_prompt(ExecutePromptRequest(None, content="Hello"), "trace-7")
    else:
        with pytest.raises(SessionNotFound):
            await executor.execute_prompt(ExecutePromptRequest(None, content="Hello"), "trace-7")

    assert stages.gone_through == (ORDER if failing is None else ORDER[: ORDER.index(failing) + 1])


def test_orchestrator_only_sequences() -> None:
    """S0-1, S0-19: under forty lines, and three calls."""
    source = textwrap.dedent(inspect.getsource(PromptExecutor))
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Await)]
    branches = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.If | ast.For | ast.Try)]

    assert len(source.splitlines()) < 40
    assert (len(calls), branches) == (3, [])


def test_persistence_has_one_method_and_is_small() -> None:
    """S0-2, S0-19."""
    methods = [name for name, found in vars(PromptPersistence).items() if _is_public(name, found)]

    assert methods == ["persist"]
    assert len(inspect.getsource(PromptPersistence).splitlines()) < 100


def _is_public(name: str, found: Any) -> bool:
    return inspect.isfunction(found) and not name.startswith("_")
