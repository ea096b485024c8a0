"""The tables as a client may rely on them: columns, words, keys and indexes that docs/requirements.md names."""

import re
from typing import Any

import pytest

from tests.conversations import rows

UUID, TEXT, TIME, INT, BIGINT, BOOL, JSON = "uuid", "text", "timestamptz", "int4", "int8", "bool", "jsonb"
NULL = "?"

CHAT = {
    "chat_sessions": {
        "id": UUID, "title": TEXT, "description": TEXT + NULL, "created_at": TIME, "updated_at": TIME, "status": TEXT,
        "agent_id": TEXT + NULL, "user_id": TEXT, "model": TEXT + NULL, "provider": TEXT + NULL,
        "total_tokens_used": BIGINT, "estimated_cost": "numeric", "total_duration_ms": BIGINT,
    },
    "session_metadata": {"session_id": UUID, "custom_data": JSON, "tags": "_text", "summary": TEXT + NULL},
    "chat_messages": {
        "id": UUID, "session_id": UUID, "role": TEXT, "content": TEXT, "created_at": TIME, "token_count": INT,
        "sequence_number": INT, "tool_call_id": TEXT + NULL, "parent_message_id": UUID + NULL, "status": TEXT,
        "error_message": TEXT + NULL, "custom_metadata": JSON,
    },
    "message_attachments": {
        "id": UUID, "message_id": UUID, "file_name": TEXT, "content_type": TEXT, "size": BIGINT, "data": "bytea",
        "uploaded_at": TIME,
    },
    "tool_calls": {
        "id": UUID, "message_id": UUID, "name": TEXT, "arguments": TEXT, "result": TEXT + NULL, "success": BOOL + NULL,
        "error": TEXT + NULL, "executed_at": TIME + NULL, "duration_ms": INT + NULL,
    },
    "tool_executions": {
        "id": UUID, "session_id": UUID, "tool_call_id": UUID, "tool_name": TEXT, "input": TEXT, "output": TEXT + NULL,
        "status": TEXT, "started_at": TIME + NULL, "completed_at": TIME + NULL, "duration_ms": INT + NULL,
        "agent_id": TEXT + NULL, "required_approval": BOOL, "approved": BOOL + NULL, "approved_by": TEXT + NULL,
        "approved_at": TIME + NULL,
    },
    "agent_states": {"session_id": UUID, "agent_id": TEXT, "state": JSON, "version": INT},
}  # fmt: skip
WORKFLOW = {
    "projects": {"id": UUID, "name": TEXT, "description": TEXT, "created_at": TIME, "updated_at": TIME},
    # The four kinds in one table: `upstream_id` is the attempt at the stage before.
    "workflow_stages": {
        "id": UUID, "project_id": UUID, "stage": TEXT, "upstream_id": UUID + NULL, "story_index": "int2" + NULL,
        "status": TEXT, "content": TEXT + NULL, "review_id": UUID + NULL, "created_at": TIME,
    },
    "stories": {"story_generation_id": UUID, "story_index": "int2", "title": TEXT, "description": TEXT},
    "reviews": {
        "id": UUID, "status": TEXT, "service_name": TEXT, "stage": TEXT, "feedback": TEXT + NULL, "created_at": TIME,
        "updated_at": TIME,
    },
}  # fmt: skip
PROMPTS = {
    "prompt_templates": {
        "id": UUID, "name": "varchar(255)", "description": TEXT + NULL, "content": TEXT, "type": "varchar(50)",
        "project_id": "varchar(255)" + NULL, "organization_id": "varchar(255)" + NULL, "enabled": BOOL, "version": INT,
        "created_at": TIME, "updated_at": TIME,
    },
}  # fmt: skip

WORDS = {
    "ck_chat_sessions_status": "active paused completed failed archived",
    "ck_chat_messages_role": "system user assistant tool",
    "ck_chat_messages_status": "pending processing completed failed cancelled",
    "ck_tool_executions_status": "pending running completed failed cancelled awaiting_approval",
    "ck_prompt_templates_type": "question-answering summarization entity-extraction text-generation translation "
    "classification custom",
    "ck_workflow_stages_stage": "requirements_analysis project_planning story_generation prompt_generation",
    "ck_reviews_status": "pending approved rejected",
}

KEYS = {
    ("session_metadata", "session_id"): "chat_sessions CASCADE",
    ("chat_messages", "session_id"): "chat_sessions CASCADE",
    ("chat_messages", "parent_message_id"): "chat_messages RESTRICT",
    ("message_attachments", "message_id"): "chat_messages CASCADE",
    ("tool_calls", "message_id"): "chat_messages CASCADE",
    ("tool_executions", "session_id"): "chat_sessions CASCADE",
    ("tool_executions", "tool_call_id"): "tool_calls CASCADE",
    ("agent_states", "session_id"): "chat_sessions CASCADE",
    ("prompt_executions", "session_id"): "chat_sessions CASCADE",
    ("prompt_executions", "template_version_id"): "prompt_template_versions RESTRICT",
    ("prompt_executions", "prompt_generation_id"): "workflow_stages SET NULL (prompt_generation_id)",
    ("workflow_stages", "project_id"): "projects CASCADE",
    ("workflow_stages", "project_id, upstream_stage, upstream_id"): "workflow_stages CASCADE",
    ("workflow_stages", "review_id"): "reviews CASCADE",
    ("stories", "story_generation_id"): "workflow_stages CASCADE",
    ("reviews", "project_id"): "projects CASCADE",
}
"""What each column leads to, within its tenant, and what becomes of it when that is deleted."""

INDEXES = {
    "chat_sessions": ["user_id, created_at", "user_id, updated_at", "created_at"],
    "chat_messages": ["UNIQUE session_id, sequence_number", "created_at"],
    "tool_calls": ["message_id", "name"],
    "tool_executions": ["UNIQUE tool_call_id", "session_id", "tool_name", "status", "started_at"],
    "message_attachments": ["message_id"],
    "prompt_templates": [
        "name", "project_id, enabled", "organization_id", "type", "enabled", "created_at",
        "UNIQUE organization_id, project_id, stage",
    ],
    "workflow_stages": ["project_id, created_at", "status", "UNIQUE review_id"],
    "reviews": ["project_id, created_at"],
    "projects": ["created_at"],
}  # fmt: skip
"""By which columns, behind the tenant's, an index begins."""


async def columns_of(dsn: str, table: str) -> dict[str, str]:
    """The columns of a table with their types; those that may be null end with `?`."""
    found = await rows(
        dsn,
        """SELECT column_name, udt_name, character_maximum_length AS longest, is_nullable = 'YES' AS empty
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1""",
        table,
    )
    return {row["column_name"]: _type(row) for row in found}


def _type(row: Any) -> str:
    longest = f"({row['longest']})" if row["longest"] else ""
    return f"{row['udt_name']}{longest}{NULL if row['empty'] else ''}"


@pytest.mark.parametrize("wanted", [CHAT, WORKFLOW, PROMPTS], ids=["chat", "workflow", "prompts"])
async def test_tables_have_the_columns_that_were_asked_for(dsn: str, wanted: dict[str, dict[str, str]]) -> None:
    """S1-1, S1-5, S1-11, S1-13, S1-33, S2-1 to S2-6, S4-1."""
    for table, columns in wanted.items():
        found = await columns_of(dsn, table)

        assert {name: found.get(name) for name in columns} == columns, table


async def test_words_and_keys_are_those_that_were_asked_for(dsn: str) -> None:
    """S0-7, S1-2, S1-8, S1-15, S1-32, S2-7, S2-8, S4-8."""
    checks = {
        row["conname"]: set(re.findall(r"'([\w-]+)'", row["told"]))
        for row in await rows(
            dsn, "SELECT conname, pg_get_constraintdef(oid) AS told FROM pg_constraint WHERE contype = 'c'"
        )
    }
    keys = {
        (row["from_table"], told[1]): f"{told[2]} {told[3]}"
        for row in await rows(
            dsn,
            "SELECT conrelid::regclass::text AS from_table, pg_get_constraintdef(oid) AS told FROM pg_constraint "
            "WHERE contype = 'f'",
        )
        if (told := re.match(r"FOREIGN KEY \(tenant_id, (.*?)\) REFERENCES (\w+)\(.*?\) ON DELETE (.+)", row["told"]))
    }

    assert {name: checks[name] for name in WORDS} == {name: set(words.split()) for name, words in WORDS.items()}
    assert {place: keys.get(place) for place in KEYS} == KEYS


async def test_indexes_begin_with_what_is_looked_for(dsn: str) -> None:
    """S1-16, S1-29, S1-30, S1-31, S2-8, S4-10."""
    told = await rows(dsn, "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'")
    found: dict[str, list[str]] = {}
    for row in told:
        unique = "UNIQUE " if " UNIQUE " in row["indexdef"] else ""
        if behind := re.search(r"\(tenant_id, (.*?)\)", row["indexdef"]):
            found.setdefault(row["tablename"], []).append(unique + behind[1])

    missing = {
        f"{table}: {wanted}"
        for table, every in INDEXES.items()
        for wanted in every
        if not any(_serves(index, wanted) for index in found[table])
    }

    assert missing == set()


def _serves(index: str, wanted: str) -> bool:
    """Whether an index is what is wanted: a unique one of just these columns, or any that begins with them."""
    if wanted.startswith("UNIQUE "):
        return index == wanted
    return f"{index.removeprefix('UNIQUE ')}, ".startswith(f"{wanted}, ")
