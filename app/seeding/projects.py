"""Makes up projects of the workflow, each as far as one of its kind has come."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import assert_never
from uuid import UUID

from app.core.actor import UserId
from app.core.errors import ErrorCode
from app.prompts.values import Stage
from app.runs.values import Failure
from app.seeding.chance import a_moment, model_of, seeded_id, source, user_of
from app.seeding.project_books import People, ProjectBooks
from app.seeding.rows import Rows
from app.seeding.subjects import Subject, plan_of, prompt_of, requirements_of, subject_of
from app.seeding.values import SeedPlan
from app.workflow.values import DecisionKind

LONGEST_PROJECT = timedelta(hours=8)
"""None begins later than this before the end: nothing of it may be in the future."""

_OVERLOADED = Failure(
    ErrorCode.PROVIDER_ERROR, "the provider is overloaded (529)", hint="have it generated again", retryable=True
)


class ProjectKind(StrEnum):
    """How far a project has come."""

    FINISHED = "finished"
    """Every story has an approved prompt."""
    DESCRIBED = "described"
    ANALYSED = "analysed"
    """Its requirements await their review, after a first attempt that failed."""
    APPROVED = "approved"
    """Its requirements are approved, and its plan is not asked for yet."""
    CUT = "cut"
    """Its stories await their review."""
    REVISED = "revised"
    """Its plan and one of its prompts were rejected and made again; prompts await their review."""


@dataclass(frozen=True, slots=True)
class ProjectTeller:
    """Tells each project of a plan on its own: how many others there are makes no difference."""

    plan: SeedPlan
    users: list[UserId]

    def project_id(self, index: int) -> UUID:
        """The id of a project that need not be told."""
        return self._begun(index)[2]

    def kind(self, index: int) -> ProjectKind:
        """How far a project has come: each sixth as far as the first."""
        return tuple(ProjectKind)[index % len(ProjectKind)]

    def tell(self, index: int, rows: Rows) -> None:
        """Add the rows of a project."""
        chance, began_at, project_id = self._begun(index)
        subject = subject_of(chance)
        editor, reviewer = user_of(self.users, chance), user_of(self.users, chance)
        people = People(editor, reviewer, model_of(chance).id, f"seed-{self.plan.seed}-project-{index + 1}")
        books = ProjectBooks(
            self.plan.tenant, project_id, subject.name, subject.description, began_at, people, chance, rows
        )
        _Telling(books, subject).all(self.kind(index))
        books.close()

    def _begun(self, index: int) -> tuple[Random, datetime, UUID]:
        chance = source(self.plan, "project", index)
        began_at = a_moment(self.plan, chance, LONGEST_PROJECT)
        return chance, began_at, seeded_id(chance, began_at)


@dataclass(frozen=True, slots=True)
class _Telling:
    books: ProjectBooks
    subject: Subject

    def all(self, kind: ProjectKind) -> None:
        match kind:
            case ProjectKind.DESCRIBED:
                pass
            case ProjectKind.ANALYSED:
                self._analysed()
            case ProjectKind.APPROVED:
                self._requirements()
            case ProjectKind.CUT:
                self._made(Stage.STORY_GENERATION, self._plan(self._requirements()))
            case ProjectKind.FINISHED:
                self._prompts(self._stories(self._plan(self._requirements())))
            case ProjectKind.REVISED:
                self._revised()
            case _:
                assert_never(kind)

    def _analysed(self) -> None:
        self._asked()
        (first,) = self.books.request(Stage.REQUIREMENTS_ANALYSIS, None)
        self.books.fail(first, _OVERLOADED)
        self._made(Stage.REQUIREMENTS_ANALYSIS, None)

    def _requirements(self) -> UUID:
        return self._approved(self._made(Stage.REQUIREMENTS_ANALYSIS, None))

    def _plan(self, requirements: UUID) -> UUID:
        return self._approved(self._made(Stage.PROJECT_PLANNING, requirements))

    def _stories(self, plan: UUID) -> UUID:
        return self._approved(self._made(Stage.STORY_GENERATION, plan))

    def _prompts(self, stories: UUID) -> None:
        for made in self._all_prompts(stories):
            self._approved(made)

    def _revised(self) -> None:
        requirements = self._requirements()
        rejected = self._made(Stage.PROJECT_PLANNING, requirements)
        plan = self._again(rejected, requirements, "Say how large each milestone is: we cannot choose without that.")
        first, second, *_ = self._all_prompts(stories := self._stories(self._approved(plan)))
        self._approved(first)
        self._again(second, stories, "It asks for no tests. Have each criterion shown by one.", story_index=1)

    def _all_prompts(self, stories: UUID) -> list[UUID]:
        """One prompt for each story, all asked for at once."""
        self._asked()
        made = self.books.request(Stage.PROMPT_GENERATION, stories, range(len(self.subject.stories)))
        for index, prompt in enumerate(made):
            self.books.finish(prompt, prompt_of(self.subject, self.subject.stories[index]))
        return made

    def _made(self, stage: Stage, upstream: UUID | None) -> UUID:
        self._asked()
        (made,) = self.books.request(stage, upstream)
        self._finish(stage, made)
        return made

    def _again(self, rejected: UUID, upstream: UUID, feedback: str, story_index: int | None = None) -> UUID:
        """The attempt that is made with what a reviewer said of another one."""
        self._read()
        stage = Stage.PROJECT_PLANNING if story_index is None else Stage.PROMPT_GENERATION
        self.books.decide(rejected, DecisionKind.REQUEST_CHANGES, feedback)
        (made,) = self.books.request(stage, upstream, [story_index], by=self.books.people.reviewer)
        self._finish(stage, made, story_index, revised=True)
        return made

    def _finish(self, stage: Stage, made: UUID, story_index: int | None = None, *, revised: bool = False) -> None:
        match stage:
            case Stage.REQUIREMENTS_ANALYSIS:
                self.books.finish(made, requirements_of(self.subject))
            case Stage.PROJECT_PLANNING:
                self.books.finish(made, plan_of(self.subject, revised))
            case Stage.STORY_GENERATION:
                self.books.finish(made, self.subject.stories)
            case Stage.PROMPT_GENERATION:
                self.books.finish(made, prompt_of(self.subject, self.subject.stories[story_index or 0], revised))
            case _:
                assert_never(stage)

    def _approved(self, made: UUID) -> UUID:
        self._read()
        self.books.decide(made, DecisionKind.APPROVE)
        return made

    def _asked(self) -> None:
        self.books.wait(30, 900)

    def _read(self) -> None:
        self.books.wait(60, 1_500)
