"""A library of prompts is taken over from files: once, with its ids, numbers and times."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.core.actor import CorrelationId
from app.db.database import Database
from app.exchange.errors import UnusableFile
from app.exchange.library.runner import import_library
from app.exchange.library.values import Finding, LibraryTotals
from app.identity.service import local_actor
from app.identity.values import DEFAULT_TENANT, SYSTEM_USER
from app.prompts.taking_over import AT_ONCE
from tests.fakes import StatementRecorder
from tests.worlds import rows

LIBRARY = Path(__file__).with_name("library.csv")
ID = "0198b3a0-1111-7000-8000-00000000000{}"
OPERATOR = local_actor(SYSTEM_USER, DEFAULT_TENANT, CorrelationId("import"))
ALL = "SELECT * FROM prompt_templates ORDER BY id"


async def taken(database: Database, *paths: Path, dry_run: bool = False) -> tuple[LibraryTotals, list[Finding]]:
    findings: list[Finding] = []
    totals = LibraryTotals()
    await import_library(database, OPERATOR, paths, findings.append, totals, dry_run=dry_run)
    return totals, findings


def counts(totals: LibraryTotals) -> dict[str, int]:
    return {verdict.value: amount for verdict, amount in totals.found.items() if amount}


def template(number: int = 1, **members: Any) -> dict[str, Any]:
    return {"id": ID.format(number), "name": f"t{number}", "content": "Hello {{name}}!", **members}


def written(folder: Path, *templates: Any, name: str = "library.json") -> Path:
    path = folder / name
    text = json.dumps(templates) if path.suffix == ".json" else "\n".join(map(json.dumps, templates))
    path.write_text(text, "utf-8")
    return path


async def everything(dsn: str) -> list[Any]:
    tables = "prompt_templates", "prompt_template_versions", "prompt_template_changes", "prompt_labels"
    return [await rows(dsn, f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables]


async def test_a_library_keeps_ids_numbers_and_times(database: Database, dsn: str) -> None:
    totals, findings = await taken(database, LIBRARY)

    assert counts(totals) == {"new": 5}
    assert (totals.only_here, totals.ignored) == (0, set())
    assert [str(finding.id) for finding in findings] == [ID.format(n) for n in range(1, 6)]
    first, second, third, fourth, fifth = await rows(dsn, ALL)
    assert (first["name"], first["project_id"], first["organization_id"]) == ("Answer a customer", "shop", "acme")
    assert (first["version"], first["revision"], first["enabled"]) == (7, 8, True)
    assert first["created_at"] == datetime(2024, 3, 1, 9, 15, tzinfo=UTC)
    assert first["updated_at"] == datetime(2025, 11, 20, 16, 40, 12, 500_000, tzinfo=UTC)
    assert first["content"].endswith('\n\nQuestion: "{{question}}"\nBe kind, and short.')
    assert [one["name"] for one in json.loads(first["variables"])] == ["shop", "question"]
    assert (second["description"], second["organization_id"], second["enabled"]) == (None, "other", True)
    assert third["created_at"] == datetime(2024, 3, 2, 9, 0, 0, 123_456, tzinfo=UTC)
    assert (fourth["description"], fourth["project_id"], fourth["type"]) == ("Übersicht", None, "entity-extraction")
    assert (fifth["project_id"], fifth["organization_id"], fifth["enabled"]) == (None, None, True)
    found = await rows(dsn, "SELECT version, created_at FROM prompt_template_versions ORDER BY template_id")
    assert [row["version"] for row in found] == [7, 1, 2, 1, 3]
    assert found[0]["created_at"] == first["updated_at"]
    history = await rows(dsn, "SELECT revision, kind, version FROM prompt_template_changes ORDER BY template_id, 1")
    assert [tuple(row.values()) for row in history[:3]] == [(7, "created", 7), (8, "enabled", None), (1, "created", 1)]


async def test_a_second_import_changes_nothing(database: Database, dsn: str) -> None:
    await taken(database, LIBRARY)
    before = await everything(dsn)

    totals, _ = await taken(database, LIBRARY)

    assert counts(totals) == {"same": 5}
    assert await everything(dsn) == before


async def test_what_changed_becomes_a_version(database: Database, dsn: str, tmp_path: Path) -> None:
    await taken(database, written(tmp_path, template(1, version=4), template(2), template(3, enabled=True)))

    file = written(
        tmp_path, template(1, version=6, content="Hi {{name}}, {{how}}"), template(2, description="d"), template(3)
    )
    totals, findings = await taken(database, file)
    again, _ = await taken(database, file)

    assert counts(totals) == {"differs": 3}
    assert [finding.fields for finding in findings] == [("content", "variables"), ("description",), ("enabled",)]
    assert "-Hello {{name}}!\n+Hi {{name}}, {{how}}" in findings[0].diff
    assert counts(again) == {"same": 3}
    found = await rows(dsn, ALL)
    assert [(row["version"], row["revision"], row["enabled"]) for row in found] == [
        (5, 5, False), (2, 2, False), (1, 3, False)
    ]  # fmt: skip
    history = await rows(dsn, "SELECT kind FROM prompt_template_changes ORDER BY template_id, revision")
    kinds = [row["kind"] for row in history]
    assert kinds == ["created", "updated", "created", "updated", "created", "enabled", "disabled"]
    texts = await rows(dsn, "SELECT content FROM prompt_template_versions WHERE template_id = $1 ORDER BY version",
                       found[0]["id"])  # fmt: skip
    assert [row["content"] for row in texts] == ["Hello {{name}}!", "Hi {{name}}, {{how}}"]


async def test_a_dry_run_tells_the_same_and_stores_nothing(database: Database, dsn: str, tmp_path: Path) -> None:
    await taken(database, written(tmp_path, template(1), template(2, enabled=True), template(9)))
    before = await everything(dsn)
    file = written(
        tmp_path,
        template(1),
        template(2, content="Changed"),
        template(3, enabled=True),
        template(4, content="{{#each}}"),
        template(5, name="t9"),
    )

    told, dry = await taken(database, file, dry_run=True)

    assert await everything(dsn) == before
    assert counts(told) == {"same": 1, "differs": 1, "new": 1, "conflict": 2}
    assert told.only_here == 1
    done, real = await taken(database, file)
    assert real == dry
    assert counts(done) == counts(told)
    assert done.only_here == 1


async def test_of_two_that_are_enabled_the_second_is_a_conflict(database: Database, dsn: str, tmp_path: Path) -> None:
    file = written(tmp_path, template(1, enabled=True), template(2, enabled=True), template(3, projectId="p"))

    for verdict in ("new", "same"):
        told, _ = await taken(database, file, dry_run=True)
        totals, findings = await taken(database, file)

        assert counts(told) == counts(totals) == {verdict: 2, "conflict": 1}
        assert findings[-1].reason == f"another template of the project is enabled: {ID.format(1)}"
    enabled = [row["enabled"] for row in await rows(dsn, ALL)]
    assert enabled == [True, False, False]


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
@pytest.mark.parametrize("between", [0, AT_ONCE])
async def test_two_may_take_turns_whichever_stands_first(
    database: Database, dsn: str, tmp_path: Path, order: tuple[int, int], between: int
) -> None:
    others = [template(0, id=f"0198b3a0-2222-7000-8000-{n:012}", name=f"other {n}") for n in range(between)]
    await taken(database, written(tmp_path, template(1, enabled=True), template(2), *others))
    turned = [template(number, enabled=number == 2) for number in order]
    file = written(tmp_path, turned[0], *others, turned[1])

    told, dry = await taken(database, file, dry_run=True)
    totals, real = await taken(database, file)

    assert counts(told) == counts(totals) == {"differs": 2, **({"same": between} if between else {})}
    assert [(finding.id, finding.reason) for finding in dry] == [(finding.id, finding.reason) for finding in real]
    found = await rows(dsn, "SELECT id, enabled FROM prompt_templates WHERE name IN ('t1', 't2') ORDER BY id")
    assert [row["enabled"] for row in found] == [False, True]


REFUSED: list[tuple[Any, str]] = [
    (template(content="{{#a}}b{{/a}}"), "content has {{ at line 1, column 1"),
    (template(content=""), "content must not be empty"),
    (template(content="x" * 10_001), "content has 10,001 characters; at most 10,000 are stored"),
    (template(name="x" * 256), "name has 256 characters; at most 255 are stored"),
    (template(type="poem"), "type is none of question-answering"),
    (template(version=0), "version must be between 1 and"),
    (template(version="x"), "version is no whole number"),
    (template(version=True), "version is no whole number"),
    (template(enabled="perhaps"), "enabled is neither true nor false"),
    (template(created_at="yesterday"), "created_at is no time in ISO 8601"),
    (template(id="1"), "id is no UUID"),
    (template(id=None), "id is missing"),
    (template(content=5), "content is no text"),
    (template(name="a\0"), "contains the character U+0000"),
    (template(variables=[{"name": "name", "type": "date"}]), "variables has a variable name of a type that is none"),
    (template(variables=[{"name": "other"}]), "content uses the variable name"),
    (template(variables={"name": "text"}), "variables is no list of variables"),
    ([1], "it is no object with the members of a template"),
]


@pytest.mark.parametrize(("member", "reason"), REFUSED)
async def test_what_cannot_be_taken_is_a_conflict_and_the_others_go_on(
    database: Database, dsn: str, tmp_path: Path, member: Any, reason: str
) -> None:
    totals, findings = await taken(database, written(tmp_path, member, template(2)))

    assert counts(totals) == {"conflict": 1, "new": 1}
    assert (findings[0].reason or "").startswith("template 1: ")
    assert reason in (findings[0].reason or "")
    assert [row["name"] for row in await rows(dsn, ALL)] == ["t2"]


async def test_what_is_taken_here_is_a_conflict(database: Database, dsn: str, tmp_path: Path) -> None:
    await taken(database, written(tmp_path, template(1), template(2), template(3)))
    await rows(dsn, "UPDATE prompt_templates SET deleted_at = now(), revision = 2 WHERE name = 't3'")
    before = await everything(dsn)
    file = written(
        tmp_path, template(1, project_id="elsewhere"), template(4, name="t2"), template(3), template(2, name="t1"),
        template(5), template(5, name="once more"), template(6, name="t5"),
    )  # fmt: skip

    totals, findings = await taken(database, file)

    assert counts(totals) == {"conflict": 6, "new": 1}
    reasons = {finding.number: finding.reason for finding in findings if finding.reason}
    assert reasons == {
        1: "it belongs here to the project None of the organization None",
        2: f"another template of the project has its name: {ID.format(2)}",
        3: "a template with its id was deleted here",
        4: f"another template of the project has its name: {ID.format(1)}",
        6: f"template 6: its id {ID.format(5)} stands twice in the files",
        7: "template 7: its name stands twice in the files, in one project: t5",
    }
    assert [row for row in (await everything(dsn))[0] if row["name"] != "t5"] == before[0]


async def test_declared_variables_stay_where_the_file_has_none(database: Database, dsn: str, tmp_path: Path) -> None:
    declared = [{"name": "name", "type": "TEXT", "default": "you"}, {"name": "n", "type": "integer", "default": 3}]
    await taken(database, written(tmp_path, template(1, content="{{name}} {{n}}", variables=declared)))

    same, _ = await taken(database, written(tmp_path, template(1, content="{{name}} {{n}}")))
    await taken(database, written(tmp_path, template(1, content="{{n}} {{more}}")))

    assert counts(same) == {"same": 1}
    (row,) = await rows(dsn, ALL)
    assert [(one["name"], one["type"], one["default"]) for one in json.loads(row["variables"])] == [
        ("n", "integer", 3), ("more", "text", None)
    ]  # fmt: skip


async def test_lines_and_lists_and_commas_say_the_same(database: Database, tmp_path: Path) -> None:
    with LIBRARY.open(encoding="utf-8", newline="") as file:
        members: list[dict[str, Any]] = [
            {name: value or None for name, value in row.items()} for row in csv.DictReader(file)
        ]
    for member in members:
        member["projectId"] = member.pop("project_id")
        member["createdAt"] = member.pop("created_at")
        member["enabled"] = member["enabled"] == "t"
        member["version"] = int(member["version"])
    await taken(database, LIBRARY)

    for name in ("list.json", "lines.jsonl"):
        totals, _ = await taken(database, written(tmp_path, *members, name=name))

        assert counts(totals) == {"same": 5}


async def test_thousands_are_taken_with_few_statements(
    database: Database, statements: StatementRecorder, tmp_path: Path
) -> None:
    def many(text: str) -> list[dict[str, Any]]:
        return [
            template(0, id=f"0198b3a0-3333-7000-8000-{n:012}", name=f"n{n}", project_id=f"p{n}", enabled=n % 3 == 0,
                     content=text)
            for n in range(2_000)
        ]  # fmt: skip

    new, _ = await taken(database, written(tmp_path, *many("Hello {{name}}"), name="lines.jsonl"))
    statements.clear()
    updated, _ = await taken(database, written(tmp_path, *many("Goodbye {{name}}"), name="lines.jsonl"))

    assert (counts(new), counts(updated)) == ({"new": 2_000}, {"differs": 2_000})
    assert len(statements.sent) <= 2_000 // AT_ONCE * 5 + 5


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"a,b\n1,2\n", "neither JSON, nor CSV"),
        (b"name,name\n", "neither JSON, nor CSV"),
        (b"id,name,content\n1,\xff,2\n", "it is not UTF-8"),
        (b'id,name,content\n1,"a"b,2\n', "is no CSV"),
        (b'id,name,content\n1,"a', "is no CSV"),
    ],
)
async def test_a_file_of_another_kind_is_unusable(database: Database, tmp_path: Path, text: bytes, reason: str) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(text)

    with pytest.raises(UnusableFile, match=reason):
        await taken(database, path)


async def test_columns_without_a_place_are_named(database: Database, tmp_path: Path) -> None:
    totals, _ = await taken(database, written(tmp_path, template(1, author="me", stars=5), template(2, author="you")))

    assert totals.ignored == {"author", "stars"}
