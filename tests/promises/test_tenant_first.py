"""Every row belongs to a tenant: every key starts with it, and every statement finds its rows by it."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import ARRAY, CheckConstraint, Column, Table, Text, select, update
from sqlalchemy.schema import ColumnCollectionConstraint

from app.db.base import table_of
from app.db.statement import Command, Query, Statement, param
from app.messages.models import ChatMessage
from app.sessions.models import ChatSession
from app.tables import metadata
from tests.statement_walk import BUILDERS, ON_MODULE, walked, written_places

TABLES = list(metadata.tables.values())
MESSAGES, SESSIONS = table_of(ChatMessage), table_of(ChatSession)

_UPKEEP = "for what is done by the calendar, for all tenants at once"
WITHOUT_TENANT = {
    "ix_chat_messages_unfinished": _UPKEEP,
    "ix_client_keys_created_at": _UPKEEP,
    "ix_runs_compactable": _UPKEEP,
    "ix_runs_live": _UPKEEP,
    "ix_tool_executions_expiring": _UPKEEP,
    "ix_workflow_stages_live": _UPKEEP,
    "ix_session_metadata_tags": "an inverted index holds no order; it is combined with the key of the owner's sessions",
}
"""Indexes that do not start with the tenant, and why."""

OF_ALL_TENANTS = {
    ("app.db.replica", ON_MODULE): "asks two servers about themselves, and of no row of ours",
    ("app.runs.loaders", "_live_by_status"): "counts the runs that go on, for the metrics; it returns numbers",
    ("app.budgets.repository.upkeep", "_forget"): "gives up periods by their age alone; it returns a number",
    ("app.idempotency.repository", "_forget"): "purges keys by their age alone; it returns a number",
    ("app.runs.repository.upkeep", "_compact"): "gives up pieces by their age alone; it returns a number",
    ("app.exchange.loaders", "_listed"): "gives the ids of sessions, with their owners, to the operator alone",
    ("app.runs.repository.upkeep", "_forgotten"): "gives the ids of runs, with their tenants, to nobody but upkeep",
    ("app.runs.repository.upkeep", ON_MODULE): "gives the ids of messages, with their tenants, to nobody but upkeep",
    ("app.tools.repository.upkeep", ON_MODULE): "gives the ids of executions, with their owners, to nobody but upkeep",
    ("app.workflow.repository.upkeep", ON_MODULE): "gives the ids of stages, with their tenants, to nobody but upkeep",
}
"""Statements that no request runs with what it was given, and why they may: the calendar, the command line, probes."""

_IDENTITY = "comes from whoever authenticates: a name in a header has at most 128 characters"
_NAME = "a name of at most 255 characters, refused at the edge"
_MODEL = "that of a run, which is bounded, or empty"
_ERROR = "at most 4,000 characters, refused at the edge"
UNCHECKED = {
    "agent_states.tenant_id": _IDENTITY,
    "api_keys.created_by": _IDENTITY,
    "api_keys.revoked_by": _IDENTITY,
    "api_keys.tenant_id": _IDENTITY,
    "api_keys.user_id": "at most 128 characters, refused at the edge",
    "budget_reservations.tenant_id": _IDENTITY,
    "budget_reservations.model": _MODEL,
    "budget_reservations.user_id": _IDENTITY,
    "budget_usage.model": _MODEL,
    "budget_usage.tenant_id": _IDENTITY,
    "budget_usage.user_id": _IDENTITY,
    "budgets.created_by": _IDENTITY,
    "budgets.tenant_id": _IDENTITY,
    "budgets.user_id": "a name of at most 128 characters, refused at the edge",
    "chat_messages.tenant_id": _IDENTITY,
    "chat_sessions.tenant_id": _IDENTITY,
    "chat_sessions.user_id": _IDENTITY,
    "client_keys.tenant_id": _IDENTITY,
    "client_keys.user_id": _IDENTITY,
    "events.actor": _IDENTITY,
    "events.correlation_id": "at most 128 characters are taken over from a client, else it is made here",
    "events.kind": "one of the words of EventKind, written by the statements themselves",
    "events.owner_id": _IDENTITY,
    "events.tenant_id": _IDENTITY,
    "message_attachments.tenant_id": _IDENTITY,
    "prompt_executions.tenant_id": _IDENTITY,
    "prompt_executions.user_id": _IDENTITY,
    "prompt_labels.moved_by": _IDENTITY,
    "prompt_labels.tenant_id": _IDENTITY,
    "prompt_template_changes.actor": _IDENTITY,
    "prompt_template_changes.tenant_id": _IDENTITY,
    "prompt_template_versions.tenant_id": _IDENTITY,
    "prompt_templates.created_by": _IDENTITY,
    "prompt_templates.tenant_id": _IDENTITY,
    "prompt_templates.updated_by": _IDENTITY,
    "projects.created_by": _IDENTITY,
    "projects.tenant_id": _IDENTITY,
    "projects.updated_by": _IDENTITY,
    "review_decisions.decided_by": _IDENTITY,
    "review_decisions.tenant_id": _IDENTITY,
    "reviews.decided_by": _IDENTITY,
    "reviews.tenant_id": _IDENTITY,
    "run_events.tenant_id": _IDENTITY,
    "run_turns.tenant_id": _IDENTITY,
    "runs.correlation_id": "that of the request that asked: bounded as in events",
    "runs.tenant_id": _IDENTITY,
    "runs.user_id": _IDENTITY,
    "search_entries.tenant_id": _IDENTITY,
    "search_entries.user_id": _IDENTITY,
    "session_metadata.tenant_id": _IDENTITY,
    "session_tallies.tenant_id": _IDENTITY,
    "stories.acceptance_criteria": "50 of at most 2,000 characters each, of a model's answer that is checked",
    "stories.tenant_id": _IDENTITY,
    "tool_calls.tenant_id": _IDENTITY,
    "tool_executions.approved_by": _IDENTITY,
    "tool_executions.tenant_id": _IDENTITY,
    "tool_executions.user_id": _IDENTITY,
    "usage_ledger.tenant_id": _IDENTITY,
    "usage_ledger.user_id": _IDENTITY,
    "workflow_stages.created_by": _IDENTITY,
    "workflow_stages.tenant_id": _IDENTITY,
    "workflow_stages.upstream_stage": "a stage: which goes with which, the check of what is built on what says",
}
"""Columns of text whose length the database does not check, and what bounds it instead."""


@pytest.mark.parametrize("table", TABLES, ids=lambda table: str(table.name))
def test_every_key_starts_with_the_tenant(table: Table) -> None:
    keys = {
        str(constraint.name or type(constraint).__name__): [column.name for column in constraint.columns]
        for constraint in table.constraints
        if isinstance(constraint, ColumnCollectionConstraint) and not isinstance(constraint, CheckConstraint)
    }
    keys |= {str(index.name): [column.name for column in index.columns] for index in table.indexes}

    wrong = {name: columns for name, columns in keys.items() if columns[0] != "tenant_id"}

    assert wrong.keys() <= WITHOUT_TENANT.keys()
    assert not any(index.unique for index in table.indexes if index.name in wrong)
    for foreign in table.foreign_key_constraints:
        assert foreign.elements[0].column.name == "tenant_id"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: str(table.name))
def test_every_row_has_a_tenant_that_its_writer_names(table: Table) -> None:
    tenant = table.c.tenant_id

    assert not tenant.nullable
    assert tenant.primary_key
    assert tenant.server_default is None
    assert tenant.default is None


def test_every_text_has_a_bound() -> None:
    texts = [column for table in TABLES for column in table.c if _is_text(column)]

    unchecked = {str(column) for column in texts if not _bound(column)}

    assert unchecked == UNCHECKED.keys()


def _is_text(column: Column[Any]) -> bool:
    kind = column.type.item_type if isinstance(column.type, ARRAY) else column.type
    return isinstance(kind, Text)


def _bound(column: Column[Any]) -> bool:
    bounds = re.compile(rf"^(char_length|cardinality)\({column.name}\) (<=|between 1 and) \d+$|^{column.name} in \('")
    checks = [str(check.sqltext) for check in column.table.constraints if isinstance(check, CheckConstraint)]
    return any(bounds.match(check) for check in checks)


def test_walk_reaches_every_statement_that_is_written() -> None:
    written = written_places()
    found = walked()

    assert {place: len(found[place]) for place in written if place[1] == ON_MODULE} == {
        place: count for place, count in written.items() if place[1] == ON_MODULE
    }
    assert [place for place, statements in found.items() if not statements] == []
    assert BUILDERS.keys() <= written.keys()


@pytest.fixture
async def planner(dsn: str) -> AsyncIterator["Planner"]:
    connection = await asyncpg.connect(dsn)
    try:
        yield await Planner.of(connection)
    finally:
        await connection.close()


class Planner:
    """Says how PostgreSQL reaches the rows of each table, where every join is a loop that carries its condition."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @classmethod
    async def of(cls, connection: Any) -> "Planner":
        await connection.execute(
            """
            CREATE FUNCTION pg_temp.plan_of(statement text) RETURNS json LANGUAGE plpgsql AS $$
            DECLARE found json;
            BEGIN
              EXECUTE 'EXPLAIN (GENERIC_PLAN, FORMAT JSON) ' || statement INTO found;
              RETURN found;
            END $$;
            SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
            SET enable_material = off; SET enable_memoize = off;
            """
        )
        return cls(connection)

    async def strays(self, statement: Statement[Any]) -> list[str]:
        """The tables whose rows a statement reaches without the actor's tenant."""
        plan = json.loads(await self._connection.fetchval("SELECT pg_temp.plan_of($1)", statement.sql))
        tenant = [f"${place}" for place, name in enumerate(statement._names, 1) if name == "tenant_id"]
        return [
            f"{node['Relation Name']}: {conditions}"
            for node in _nodes(plan[0]["Plan"])
            if "Relation Name" in node and node["Node Type"] != "ModifyTable"
            if not _names_tenant(conditions := _conditions(node), tenant)
        ]


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _conditions(node: dict[str, Any]) -> list[str]:
    """The conditions that must all hold of a row."""
    return [node[name] for name in ("Index Cond", "Recheck Cond", "Filter") if name in node]


_TENANT = re.compile(r"(?:\w+\.)?tenant_id = (?:\((\$\d+)\)::text|(\$\d+)|\w+\.tenant_id)")


def _names_tenant(conditions: list[str], parameters: list[str]) -> bool:
    found = [_TENANT.fullmatch(part) for condition in conditions for part in _parts(condition)]
    given = [match[1] or match[2] for match in found if match]
    return any(parameter is None or parameter in parameters for parameter in given)


def _parts(condition: str) -> list[str]:
    """The conditions that AND joins at the outermost level of `(a AND b)`, without their parentheses."""
    inner = condition[1:-1]
    parts, depth, start = [], 0, 0
    for place, character in enumerate(inner):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0 and inner.startswith(" AND ", place):
            parts.append(inner[start:place])
            start = place + len(" AND ")
    if not parts:
        return [inner]
    return [part[1:-1] for part in [*parts, inner[start:]]]


async def test_every_statement_finds_every_row_by_its_tenant(planner: Planner) -> None:
    statements = {
        statement.sql: statement
        for place, group in walked().items()
        if place not in OF_ALL_TENANTS
        for statement in group
    }

    strays = {sql: found for sql, statement in statements.items() if (found := await planner.strays(statement))}

    assert strays == {}


@pytest.mark.parametrize(
    "statement",
    [
        Query(str, select(SESSIONS.c.title).where(SESSIONS.c.id == param("id"))),
        Query(str, select(SESSIONS.c.title).where(SESSIONS.c.tenant_id == param("other"))),
        Query(str, select(SESSIONS.c.title).where((SESSIONS.c.tenant_id == param("tenant_id")) | param("is_admin"))),
        Query(str, select(SESSIONS.c.title).join(MESSAGES, MESSAGES.c.tenant_id == SESSIONS.c.tenant_id)),
        Command(str, update(SESSIONS).values(title="x").returning(SESSIONS.c.title)),
    ],
    ids=["by id alone", "another parameter", "or else", "one of two joined tables", "update"],
)
async def test_statement_that_forgets_the_tenant_would_be_found(planner: Planner, statement: Statement[Any]) -> None:
    assert await planner.strays(statement) != []
