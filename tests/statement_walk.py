"""Finds every statement of the application: those of a module, those in a dictionary, those that a function makes."""

import ast
import importlib
import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import app
import app.tables
from app.core.paging import PageRequest
from app.db.pages import PageShape
from app.db.statement import Statement
from app.erasure.repository import acting_columns, owned_tables
from app.events.values import EventFilter, EventKind
from app.graph.columns import Columns, OnDemand
from app.messages.loaders import MESSAGE_COLUMNS
from app.messages.values import MessageRole
from app.prompts.loaders import TEMPLATE_COLUMNS, VERSION_COLUMNS
from app.prompts.values import TemplateFilter, TemplateOrder
from app.runs.values import RunStatus
from app.sessions.loaders import SESSION_COLUMNS
from app.sessions.values import SessionFilter, SessionOrder
from app.statistics.values import MessageGrouping, UsageGrouping
from app.tools.loaders import CALL_COLUMNS
from app.workflow.loaders import PROJECT_COLUMNS, STAGE_COLUMNS, STORY_COLUMNS
from app.workflow.loaders import projects as workflow_projects
from app.workflow.values import ProjectOrder, ReviewFilter, StageFilter, StageStatus

APPLICATION = Path(app.__file__).parent
CONSTRUCTORS = ("Query", "ReplannedQuery", "Command")
ON_MODULE = "<module>"

SHAPES = [
    PageShape.of(PageRequest(1, backward, after, before))
    for backward, after, before in product((False, True), (None, "a"), (None, "b"))
]


def _some_of(names: Iterator[str] | list[str] | tuple[str, ...]) -> list[frozenset[str]]:
    """None, each alone, and all: every condition or change is a part of its own."""
    known = list(names)
    return [frozenset(), *(frozenset([name]) for name in known), frozenset(known)]


def _changes(names: list[str]) -> list[frozenset[str]]:
    return [chosen for chosen in _some_of(names) if chosen]


SESSION_CONDITIONS = _some_of([name for name in SessionFilter.__slots__ if name != "user_id"])
EVENT_CONDITIONS = _some_of(EventFilter.__slots__)
SEARCH_CONDITIONS = _some_of(["session_id", "role", "at_from", "at_to"])
QUERY_SHAPES = [((1, 0),), ((2, 1), (1, 0))]
"""Of a search: one word; and two and an unwanted one, or another."""
SESSION_CHANGES = ["title", "description", "status", "agent_id", "model", "provider"]
MESSAGE_CHANGES = ["content", "error_code", "error_message", "custom_metadata", "intent_keywords"]
MESSAGE_ENDS = ["status", "token_count", "processing_time_ms"]
"""Columns that bring changes of the session along; a deletion never sets them, it has a status of its own."""

EXECUTION_DECISION = frozenset({"status", "approved", "approved_by", "decision_comment", "error"})


def _variants(on_demand: OnDemand) -> tuple[Columns, ...]:
    """None of the columns on demand, and all: each of them is a name in the list of what is selected."""
    return frozenset(), on_demand.whole


OF_CALLS = _variants(CALL_COLUMNS)
OF_MESSAGES = _variants(MESSAGE_COLUMNS)
OF_PROJECTS = _variants(PROJECT_COLUMNS)
OF_SESSIONS = _variants(SESSION_COLUMNS)
OF_STAGES = _variants(STAGE_COLUMNS)
OF_STORIES = _variants(STORY_COLUMNS)
OF_TEMPLATES = _variants(TEMPLATE_COLUMNS)
OF_VERSIONS = _variants(VERSION_COLUMNS)

TEMPLATE_CONDITIONS = _some_of(TemplateFilter.__slots__)
PLACES = list(product((False, True), (False, True)))
"""Of prompts: with and without a project, and an organization."""
SLOTS = list(product(PLACES, (False, True)))
"""The same, with and without a stage."""
PROJECT_CONDITIONS = _some_of(sorted(workflow_projects._CONDITIONS))
STAGE_CONDITIONS = _some_of(StageFilter.__slots__)
REVIEW_CONDITIONS = _some_of(ReviewFilter.__slots__)

PROMPTS = ("template_version_id", "prompt_generation_id")
"""What executions are of."""

BUILDERS: dict[tuple[str, str], list[tuple[Any, ...]]] = {
    ("app.branches.loaders", "_page"): list(product(SHAPES, OF_MESSAGES)),
    ("app.budgets.loaders", "_page"): [(shape,) for shape in SHAPES],
    ("app.attachments.repository", "_add"): [(False,), (True,)],
    ("app.erasure.repository", "_erase_owned"): [(table.name,) for table in owned_tables()],
    ("app.erasure.repository", "_unname"): acting_columns(),
    ("app.events.loaders", "_page"): list(product(EVENT_CONDITIONS, SHAPES, (True, False))),
    ("app.events.loaders", "_count"): list(product(EVENT_CONDITIONS, (True, False))),
    ("app.execution.loaders", "_page_of_sessions"): [(shape,) for shape in SHAPES],
    ("app.execution.loaders", "_page_of_prompts"): list(product(PROMPTS, SHAPES, (False, True))),
    ("app.execution.loaders", "_count_of_prompts"): list(product(PROMPTS, (False, True))),
    ("app.execution.loaders", "_statistics"): [("template_version_id",), ("template_id",)],
    ("app.exchange.loaders", "_listed"): list(product(_some_of(["session_id", "of_tenant", "of_user"]), (False, True))),
    ("app.messages.loaders", "_by_ids"): [(columns,) for columns in OF_MESSAGES],
    ("app.messages.loaders", "_page_of_each"): list(product(("session_id", "parent_message_id"), SHAPES, OF_MESSAGES)),
    ("app.messages.repository.append", "_append"): list(product(MessageRole, (False, True))),
    ("app.messages.repository.past", "_take_over"): [(role,) for role in MessageRole],
    ("app.messages.repository.changes", "_change"): [
        *product([EventKind.MESSAGE_UPDATED], _changes([*MESSAGE_CHANGES, *MESSAGE_ENDS])),
        *product([EventKind.MESSAGE_DELETED], _changes(MESSAGE_CHANGES)),
    ],
    ("app.identity.loaders", "_page"): list(product(SHAPES, (False, True))),
    ("app.identity.loaders", "_count"): [(False,), (True,)],
    ("app.prompts.loaders.history", "_page_of_each"): [(shape,) for shape in SHAPES],
    ("app.prompts.loaders.lists", "_count"): [(names,) for names in TEMPLATE_CONDITIONS],
    ("app.prompts.loaders.lists", "_enabled"): list(product(SLOTS, OF_TEMPLATES)),
    ("app.prompts.loaders.lists", "_named"): list(product(PLACES, OF_TEMPLATES)),
    ("app.prompts.loaders.lists", "_numbered_page"): list(product(TEMPLATE_CONDITIONS, OF_TEMPLATES)),
    ("app.prompts.loaders.lists", "_page"): list(product(TEMPLATE_CONDITIONS, TemplateOrder, SHAPES, OF_TEMPLATES)),
    ("app.prompts.loaders.templates", "_by_ids"): [(columns,) for columns in OF_TEMPLATES],
    ("app.prompts.loaders.versions", "_by_ids"): [(columns,) for columns in OF_VERSIONS],
    ("app.prompts.loaders.versions", "_numbered"): [(columns,) for columns in OF_VERSIONS],
    ("app.prompts.loaders.versions", "_page_of_each"): list(product(SHAPES, OF_VERSIONS)),
    ("app.prompts.repository.choose", "_by_name"): [(shape,) for shape in PLACES],
    ("app.prompts.repository.choose", "_enabled"): [(shape,) for shape in SLOTS],
    ("app.prompts.repository.locks", "_lock_enabled"): [(shape,) for shape in SLOTS],
    ("app.prompts.repository.past", "_switch"): [(False,), (True,)],
    ("app.prompts.repository.states", "_set_enabled"): [(False,), (True,)],
    ("app.prompts.repository.texts", "_create"): [(False,), (True,)],
    ("app.runs.loaders", "_page_of_each"): [(shape,) for shape in SHAPES],
    ("app.runs.repository.answers", "_append"): [(False,), (True,)],
    ("app.search.loaders", "_messages"): list(product(QUERY_SHAPES, SEARCH_CONDITIONS, SHAPES)),
    ("app.search.loaders", "_messages_count"): list(product(QUERY_SHAPES, SEARCH_CONDITIONS)),
    ("app.search.loaders", "_sessions"): list(product(QUERY_SHAPES, SESSION_CONDITIONS[::6], SHAPES)),
    ("app.search.loaders", "_sessions_count"): list(product(QUERY_SHAPES, SESSION_CONDITIONS)),
    ("app.runs.repository.endings", "_end"): [
        (status,) for status in RunStatus if status.ended or status is RunStatus.REQUIRES_ACTION
    ],
    ("app.sessions.loaders", "_page"): [
        *product(SESSION_CONDITIONS, SessionOrder, SHAPES, OF_SESSIONS[:1]),
        *product(SESSION_CONDITIONS[:1], SessionOrder, SHAPES[:1], OF_SESSIONS[1:]),
    ],
    ("app.sessions.loaders", "_count"): [(names,) for names in SESSION_CONDITIONS],
    ("app.sessions.repository.agents", "_set_agent_state"): [(False,), (True,)],
    ("app.sessions.repository.sessions", "_create"): [(False,), (True,)],
    ("app.sessions.repository.sessions", "_update"): [(names,) for names in _changes(SESSION_CHANGES)],
    ("app.tools.approvals", "_page"): [(shape,) for shape in SHAPES],
    ("app.tools.loaders", "_by"): [("id",), ("tool_call_id",)],
    ("app.tools.loaders", "_counts"): [(False,), (True,)],
    ("app.tools.loaders", "_of_messages"): [(columns,) for columns in OF_CALLS],
    ("app.tools.loaders", "_page_of_each"): list(product(SHAPES, (False, True))),
    ("app.tools.loaders", "_text"): [("input",), ("output",)],
    ("app.tools.repository.executions", "_change"): [
        *product([EventKind.TOOL_EXECUTION_UPDATED], _changes(["status", "output", "error"])),
        (EventKind.TOOL_EXECUTION_DECIDED, EXECUTION_DECISION),
        (EventKind.TOOL_EXECUTION_EXPIRED, frozenset({"status", "error"})),
    ],
    ("app.sessions.repository.sessions", "_set_metadata"): [
        (names,) for names in _changes(["tags", "custom_data", "summary"])
    ],
    ("app.statistics.loaders.activity", "_sessions"): [(False,), (True,)],
    ("app.statistics.loaders.activity", "_tools"): [(False,), (True,)],
    ("app.statistics.loaders.stored", "_series"): list(product(MessageGrouping, (False, True))),
    ("app.statistics.loaders.usage", "_series"): list(product(UsageGrouping, (False, True))),
    ("app.tools.repository.calls", "_add"): [(False,), (True,)],
    ("app.workflow.loaders.lists", "_counts"): list(product(("project_id", "upstream_id"), STAGE_CONDITIONS)),
    ("app.workflow.loaders.lists", "_page_of_each"): list(
        product(("project_id", "upstream_id"), STAGE_CONDITIONS, SHAPES, OF_STAGES)
    ),
    ("app.workflow.loaders.lists", "_page_of_stories"): list(product(SHAPES, OF_STAGES)),
    ("app.workflow.loaders.projects", "_by_ids"): [(columns,) for columns in OF_PROJECTS],
    ("app.workflow.loaders.projects", "_count"): [(names,) for names in PROJECT_CONDITIONS],
    ("app.workflow.loaders.projects", "_page"): list(
        product(PROJECT_CONDITIONS, ProjectOrder, SHAPES[::4], OF_PROJECTS)
    ),
    ("app.workflow.loaders.reviews", "_count_of_pending"): [(names,) for names in REVIEW_CONDITIONS],
    ("app.workflow.loaders.reviews", "_counts"): [(names,) for names in REVIEW_CONDITIONS],
    ("app.workflow.loaders.reviews", "_page_of_each"): list(product(REVIEW_CONDITIONS, SHAPES)),
    ("app.workflow.loaders.reviews", "_page_of_pending"): list(product(REVIEW_CONDITIONS, SHAPES)),
    ("app.workflow.loaders.stages", "_by"): list(product(("id", "review_id"), OF_STAGES)),
    ("app.workflow.loaders.stories", "_by_keys"): [(columns,) for columns in OF_STORIES],
    ("app.workflow.loaders.stories", "_of_lists"): [(columns,) for columns in OF_STORIES],
    ("app.workflow.repository.stages", "_move"): [(status,) for status in StageStatus if status != StageStatus.PENDING],
}
"""Functions that make a statement of each shape, with every shape worth looking at."""


@cache
def written_places() -> Counter[tuple[str, str]]:
    """How many statements are written where: by module, and the function that makes them or ON_MODULE."""
    found: Counter[tuple[str, str]] = Counter()
    for file in sorted(APPLICATION.rglob("*.py")):
        module = ".".join(file.relative_to(APPLICATION.parent).with_suffix("").parts)
        found.update((module, place) for place in _places(ast.parse(file.read_text()), ON_MODULE))
    return found


def _places(node: ast.AST, inside: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        place = inside
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            name = getattr(child, "name", "<lambda>")
            place = name if inside == ON_MODULE else f"{inside}.{name}"
        if isinstance(child, ast.Call) and _called(child.func) in (*CONSTRUCTORS, "Statement"):
            yield inside
        yield from _places(child, place)


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Subscript):
        return _called(function.value)
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def walked() -> dict[tuple[str, str], list[Statement[Any]]]:
    """The statements of every place: a module's own, and of each function all that it makes."""
    found: dict[tuple[str, str], list[Statement[Any]]] = {}
    for module, place in written_places():
        if place == ON_MODULE:
            continue
        build = getattr(importlib.import_module(module), place, None)
        found[module, place] = list(_built(module, place, build)) if callable(build) else []
    made = {statement.sql for statements in found.values() for statement in statements}
    for module, place in written_places():
        if place == ON_MODULE:
            own = _attributes(importlib.import_module(module))
            # What a function made is kept under a name of the module as well.
            found[module, place] = [statement for statement in own if statement.sql not in made]
    return found


def _built(module: str, place: str, build: Callable[..., Any]) -> Iterator[Statement[Any]]:
    shapes = BUILDERS.get((module, place))
    if shapes is None:
        shapes = [] if inspect.signature(build).parameters else [()]
    for shape in shapes:
        statement = build(*shape)
        assert isinstance(statement, Statement)
        yield statement


def _attributes(module: Any) -> Iterator[Statement[Any]]:
    for value in vars(module).values():
        for found in value.values() if isinstance(value, dict) else [value]:
            if isinstance(found, Statement):
                yield found
