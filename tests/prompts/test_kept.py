"""What the database itself keeps, whoever asks it."""

import asyncpg
import pytest

from tests.client import GraphQLClient
from tests.conftest import execute
from tests.prompts.scenes import a_template, change, save
from tests.worlds import rows, stored


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE prompt_template_versions SET content = 'forged'",
        "UPDATE prompt_template_versions SET content = 'forged' WHERE false",
        "DELETE FROM prompt_template_versions",
        "TRUNCATE prompt_template_versions CASCADE",
        "TRUNCATE prompt_templates CASCADE",
        "DELETE FROM prompt_templates",
    ],
)
async def test_versions_are_never_changed_or_deleted(client: GraphQLClient, dsn: str, statement: str) -> None:
    await a_template(client)
    before = await stored(dsn)

    with pytest.raises((asyncpg.RestrictViolationError, asyncpg.ForeignKeyViolationError)):
        await execute(dsn, statement)

    assert await stored(dsn) == before


async def test_every_update_sets_when_it_was(client: GraphQLClient, dsn: str) -> None:
    await a_template(client)
    (before,) = await rows(dsn, "SELECT created_at, updated_at FROM prompt_templates")

    await execute(dsn, "UPDATE prompt_templates SET description = 'by hand', updated_at = '2001-01-01Z'")

    (after,) = await rows(dsn, "SELECT created_at, updated_at FROM prompt_templates")
    assert after["updated_at"] > before["updated_at"] == before["created_at"] == after["created_at"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", "''"),
        ("name", "repeat('x', 256)"),
        ("content", "''"),
        ("content", "repeat('x', 10001)"),
        ("type", "'poem'"),
        ("version", "0"),
        ("revision", "0"),
        ("project_id", "repeat('x', 256)"),
        ("description", "repeat('x', 4001)"),
    ],
)
async def test_the_database_refuses_what_the_edge_does(
    client: GraphQLClient, dsn: str, column: str, value: str
) -> None:
    await a_template(client)

    with pytest.raises((asyncpg.CheckViolationError, asyncpg.StringDataRightTruncationError)):
        await execute(dsn, f"UPDATE prompt_templates SET {column} = {value}")


async def test_a_second_enabled_one_is_refused_also_where_there_is_no_project(client: GraphQLClient, dsn: str) -> None:
    await a_template(client, "first", enabled=True)
    await a_template(client, "second")

    with pytest.raises(asyncpg.UniqueViolationError, match="uq_prompt_templates_enabled"):
        await execute(dsn, "UPDATE prompt_templates SET enabled = true")


async def test_times_of_the_history_have_its_order(client: GraphQLClient, dsn: str) -> None:
    template = await a_template(client)
    for number in range(1, 6):
        await save(client, template, number, content=f"text {number}")
        await change(client, "setPromptLabel", template, label="production", version=number)

    lines = await rows(dsn, "SELECT at, kind FROM prompt_template_changes ORDER BY revision")
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    (row,) = await rows(dsn, "SELECT updated_at FROM prompt_templates")
    assert row["updated_at"] == lines[-1]["at"]
