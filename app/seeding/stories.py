"""Makes up what happened in a session: questions, answers, second thoughts, failures, tools."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from app.core.actor import UserId
from app.core.errors import ErrorCode
from app.llm.port import Usage
from app.messages.values import MessageRole
from app.runs.values import Failure, RunStatus
from app.seeding.chance import first_session_id, model_of, seeded_id, source, user_of, weighted
from app.seeding.topics import Slots, ToolTemplate, Topic, topics
from app.seeding.values import (
    Answered,
    AnyStep,
    Attached,
    Called,
    Closed,
    Deleted,
    Executed,
    Filed,
    Kept,
    Model,
    Reported,
    Said,
    SeedPlan,
    Story,
    ToolAnswered,
    Verdict,
)
from app.sessions.values import SessionStatus
from app.tools.values import APPROVAL_LASTS

CountTokens = Callable[[str], int]
"""How many tokens a text is, roughly: for what a provider would have counted."""

LONGEST_EXCHANGE_MS = 1_200_000
"""No exchange begins that could end in the future."""
CACHED_FROM_TOKENS = 1_024
"""Providers keep the beginning of a conversation from here on."""
CHARACTERS_PER_PIECE = 48
INSTRUCTIONS = "You are a helpful assistant. Answer briefly, and say so when you do not know."

_OVERLOADED = Failure(
    ErrorCode.PROVIDER_ERROR, "the provider is overloaded (529)", hint="try it again with retryRun", retryable=True
)

_EXCHANGES = ("plain", "tools", "failed", "cancelled", "regenerated", "edited")
_EXCHANGE_WEIGHTS = (74, 10, 3, 2, 6, 5)

_OUTCOMES = ("completed", "reported", "failed", "approved", "denied")
_OUTCOME_WEIGHTS = (60, 15, 8, 11, 6)
_TIMED_OUT = "the tool did not answer within 30 seconds"
_NOT_APPROVED = "The person did not approve this call; it was not carried out."
_APPROVALS = (None, None, "Go ahead.", "Fine, this once.")
_DENIALS = (None, "Not now.", "Ask me before you look there.")
_UNDECIDED = APPROVAL_LASTS - timedelta(days=1)
"""What was asked for later than this before the end may be undecided still: its approval does not expire at once."""


@dataclass(frozen=True, slots=True)
class StoryTeller:
    """Tells each session of a plan on its own: which others were told before makes no difference."""

    plan: SeedPlan
    users: list[UserId]
    beginnings: list[datetime]
    count_tokens: CountTokens

    def session_id(self, index: int) -> UUID:
        """The id of a session that need not be told."""
        return self._id(source(self.plan, index), index)

    def _id(self, chance: Random, index: int) -> UUID:
        drawn = seeded_id(chance, self.beginnings[index])
        return first_session_id(self.plan) if index == 0 else drawn

    def tell(self, index: int) -> tuple[Story, Random]:
        """A session, and the chance that gives ids to what is in it."""
        chance = source(self.plan, index)
        session_id, began_at = self._id(chance, index), self.beginnings[index]
        topic = weighted(topics(), tuple(topic.weight for topic in topics()), chance)
        slots, model = topic.fill(chance), model_of(chance)
        filed_at_once = chance.random() < 0.4
        custom_data: dict[str, object] = {"topic": topic.name, "language": topic.language}
        if index == 0:
            custom_data["seed"] = {**self.plan.shape, "now": self.plan.now.isoformat()}
        told = _Telling(chance, topic, slots, model, self.count_tokens, self.plan.now - began_at)
        story = Story(
            session_id,
            user_of(self.users, chance) if index else self.users[0],
            f"seed-{self.plan.seed}-{index + 1}",
            chance.choice(topic.titles).format_map(slots),
            topic.description.format_map(slots) if chance.random() < 0.3 else None,
            f"{topic.name}-agent" if topic.tools and chance.random() < 0.5 else None,
            model,
            _tags(topic, slots) if filed_at_once else (),
            custom_data,
            began_at,
            tuple(told.all(self.plan.messages, filed=filed_at_once)),
        )
        return story, chance


def _tags(topic: Topic, slots: Slots) -> tuple[str, ...]:
    return tuple(tag.format_map(slots).lower() for tag in topic.tags)


@dataclass(slots=True)
class _Telling:
    chance: Random
    topic: Topic
    slots: Slots
    model: Model
    count_tokens: CountTokens
    left: timedelta
    steps: list[AnyStep] = field(default_factory=list)
    messages: int = 0
    context_tokens: int = 0
    """Of what a model would have in view."""
    passed_ms: int = 0
    waits: bool = False
    """Whether nothing can happen before a person decides."""
    unasked: list[str] = field(default_factory=list)
    parents: dict[int, int | None] = field(default_factory=dict)

    def all(self, messages: int, *, filed: bool) -> list[AnyStep]:
        if self.chance.random() < 0.2:
            self._add(Said(0, INSTRUCTIONS, MessageRole.SYSTEM), INSTRUCTIONS)
        wanted = max(2.0, self.chance.expovariate(1 / messages))
        while self.messages < wanted and not self.waits and self._has_time():
            self._exchange(weighted(_EXCHANGES, _EXCHANGE_WEIGHTS, self.chance))
        if not self.waits and self._has_time():
            self._end(filed=filed)
        return self.steps

    def _has_time(self) -> bool:
        return self.left.total_seconds() * 1000 - self.passed_ms > LONGEST_EXCHANGE_MS

    def _exchange(self, kind: str) -> None:
        question = self._ask()
        if self.topic.files and self.chance.random() < 0.06:
            file = self.chance.choice(self.topic.files)
            name, content = self._filled(file.name), self._filled(file.content)
            self._pass(Attached(self.chance.randrange(100, 2_000), question, name, content))
        if kind == "tools" and self.topic.tools:
            self._call_tools()
            return
        if kind == "failed":
            failed = self._answer(question, RunStatus.FAILED)
            self._answer(question, retry_of=failed)
        elif kind == "cancelled":
            self._answer(question, RunStatus.CANCELLED)
        else:
            self._answer(question)
        if kind == "regenerated":
            self._answer(question, after_ms=self.chance.randrange(5_000, 40_000))
        elif kind == "edited" and self.parents[question]:
            self._answer(self._ask(parent=self.parents[question]))
        if self.chance.random() < 0.015:
            self._pass(Deleted(self.chance.randrange(2_000, 20_000), question))

    def _ask(self, parent: int | None = None) -> int:
        first = not any(isinstance(step, Said) and step.role is MessageRole.USER for step in self.steps)
        away = 1 if first else 60 if self.chance.random() < 0.06 else 4
        pause = self.chance.randrange(300, 900) if first else int(self.chance.uniform(4_000, 45_000) * away / 4)
        content = self._question()
        return self._add(Said(pause, content, parent=parent), content, parent)

    def _answer(
        self,
        question: int,
        status: RunStatus = RunStatus.COMPLETED,
        *,
        after_ms: int = 1,
        retry_of: int | None = None,
    ) -> int:
        content = self._text() if status is not RunStatus.FAILED else ""
        if status is RunStatus.CANCELLED:
            content = content[: max(40, len(content) // 3)]
        first_token_ms, shown = self.chance.randrange(280, 1_400), self._counted(content)
        usage = self._usage(shown) if status is RunStatus.COMPLETED else None
        written = usage.output + usage.reasoning if usage else shown
        step = Answered(
            after_ms if retry_of is None else self.chance.randrange(2_000, 15_000),
            question,
            self.model.id,
            content,
            -(-len(content) // CHARACTERS_PER_PIECE),
            self.context_tokens + 3,
            usage,
            first_token_ms,
            first_token_ms + int(written * self.model.ms_per_token),
            status,
            _OVERLOADED if status is RunStatus.FAILED else None,
            retry_of,
        )
        self.passed_ms += step.duration_ms
        return self._add(step, content, question)

    def _usage(self, shown: int) -> Usage:
        cached = self.context_tokens // 128 * 128 if self.context_tokens > CACHED_FROM_TOKENS else 0
        return Usage(self.context_tokens - cached + 7, cached, 0, shown, int(shown * self.model.reasons))

    def _call_tools(self) -> None:
        tools = self.chance.sample(self.topic.tools, self.chance.randint(1, len(self.topic.tools)))
        called = [self._call(tool) for tool in tools]
        duration_ms = self.chance.randrange(600, 2_400)
        calls = tuple(call for call, _ in called)
        self._add(Reported(duration_ms, "", self.model.name, duration_ms, calls), "")
        for _, execution in called:
            if execution is not None:
                self._pass(execution)
                self.passed_ms += execution.takes_ms
        self.waits = any(execution.asks and execution.verdict is None for _, execution in called if execution)
        if not self.waits:
            self._answer_tools(called)

    def _call(self, tool: ToolTemplate) -> tuple[Called, Executed | None]:
        """A call, and its execution where the application does not tell what came of it at once."""
        call = Called(f"call_{self.chance.getrandbits(64):016x}", tool.name, tool.arguments_with(self.slots))
        result, took_ms = self._filled(self.chance.choice(tool.results)), self.chance.randrange(40, 2_500)
        outcome = weighted(_OUTCOMES, _OUTCOME_WEIGHTS, self.chance)
        if outcome == "reported":
            return replace(call, result=result, duration_ms=took_ms), None
        asked = Executed(self.chance.randrange(2, 60), call.call_id, took_ms, asks=outcome in ("approved", "denied"))
        if outcome == "failed":
            return call, replace(asked, error=_TIMED_OUT, duration_ms=30_000)
        if self._is_recent() and self.chance.random() < 0.25:
            return call, replace(asked, asks=True)
        thought_ms = self.chance.randrange(2_000, 180_000)
        if outcome == "denied":
            return call, replace(asked, verdict=Verdict(thought_ms, False, self.chance.choice(_DENIALS)))
        if outcome == "approved":
            asked = replace(asked, verdict=Verdict(thought_ms, True, self.chance.choice(_APPROVALS)))
        return call, replace(asked, output=result)

    def _is_recent(self) -> bool:
        return self.left - timedelta(milliseconds=self.passed_ms) < _UNDECIDED

    def _answer_tools(self, called: list[tuple[Called, Executed | None]]) -> None:
        """What the tools say goes to the model, which answers."""
        for call, execution in called:
            told = call.result if execution is None else execution.output or execution.error or _NOT_APPROVED
            self._add(ToolAnswered(self.chance.randrange(5, 50), told or "", call.call_id), told or "")
        text = self._text()
        duration_ms = int(self._counted(text) * self.model.ms_per_token) + self.chance.randrange(280, 1_400)
        self._add(Reported(duration_ms, text, self.model.name, duration_ms), text)

    def _end(self, *, filed: bool) -> None:
        if not filed and self.chance.random() < 0.7:
            tags = _tags(self.topic, self.slots)
            self._pass(Filed(self.chance.randrange(500, 5_000), tags, self._filled(self.topic.summary)))
        if self.topic.tools and self.chance.random() < 0.15:
            state = {"step": self.messages, "about": self.slots, "done": self.chance.random() < 0.5}
            self._pass(Kept(self.chance.randrange(100, 900), f"{self.topic.name}-agent", state))
        if self.chance.random() < 0.35:
            ends = (SessionStatus.COMPLETED, SessionStatus.ARCHIVED, SessionStatus.PAUSED)
            self._pass(Closed(self.chance.randrange(5_000, 60_000), weighted(ends, (5, 3, 2), self.chance)))

    def _add(self, step: AnyStep, content: str, parent: int | None = None) -> int:
        """Take a step that is a message; its number."""
        self.parents[self.messages + 1] = parent if parent is not None else self.messages or None
        self.messages += 1
        self.context_tokens += self._counted(content) + 4
        self._pass(step)
        return self.messages

    def _pass(self, step: AnyStep) -> None:
        self.steps.append(step)
        self.passed_ms += step.after_ms

    def _text(self) -> str:
        count = self.chance.randint(1, min(3, len(self.topic.paragraphs)))
        return "\n\n".join(self._filled(found) for found in self.chance.sample(self.topic.paragraphs, count))

    def _question(self) -> str:
        """One that was not asked yet, as long as there is one."""
        if not self.unasked:
            self.unasked = self.chance.sample(self.topic.questions, len(self.topic.questions))
        return self._filled(self.unasked.pop())

    def _filled(self, template: str) -> str:
        return template.format_map(self.slots)

    def _counted(self, content: str) -> int:
        # By paragraphs, which come again and again: a provider's count is near enough.
        return sum(self.count_tokens(paragraph) for paragraph in content.split("\n\n")) if content else 0
