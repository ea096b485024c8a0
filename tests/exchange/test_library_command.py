"""`colloquy import --format prompts`: its answers, its exit codes; and two that run at once."""

import asyncio
import json
from pathlib import Path
from typing import Any

from app.db.database import Database
from app.exchange.library.values import Verdict
from app.prompts.taking_over import AT_ONCE
from tests.cli.commands import colloquy
from tests.exchange.test_library_import import ID, LIBRARY, everything, taken, template, written
from tests.worlds import rows

EXAMPLE = Path(__file__).parents[2] / "examples" / "prompts.csv"


async def run(dsn: str, *arguments: Any) -> tuple[int, list[str], str]:
    result = await colloquy("import", "--format", "prompts", *arguments, DATABASE_URL=dsn)
    return result.exit_code, result.stdout.splitlines(), result.stderr


async def test_a_parallel_run_is_watched_by_exit_codes(dsn: str, tmp_path: Path) -> None:
    before = await run(dsn, LIBRARY, "--dry-run")
    imported = await run(dsn, LIBRARY)
    equal = await run(dsn, LIBRARY, "--dry-run")

    assert before[0] == 1
    assert before[1][-3:] == [
        "templates: 5 new, 0 the same, 0 different, 0 in conflict",
        "only in the library: 0",
        "this was a dry run: nothing was stored",
    ]
    told = "templates: 5 new, 0 the same, 0 updated, 0 in conflict"
    assert imported == (0, [*before[1][:-3], told, "only in the library: 0"], "")
    assert before[1][0] == f"new {ID.format(1)} Answer a customer"
    assert (equal[0], equal[1][0]) == (0, "templates: 0 new, 5 the same, 0 different, 0 in conflict")


async def test_the_example_is_taken_over(dsn: str) -> None:
    imported = await run(dsn, EXAMPLE)
    equal = await run(dsn, EXAMPLE, "--dry-run")

    assert imported[0] == 0
    assert imported[1][-2:] == [
        "templates: 7 new, 0 the same, 0 updated, 0 in conflict", "only in the library: 0"
    ]  # fmt: skip
    assert equal[0] == 0


async def test_what_differs_is_shown(dsn: str, tmp_path: Path) -> None:
    await run(dsn, written(tmp_path, template(1), template(2)))
    file = written(tmp_path, template(1, content="Hi {{name}}!\x1b[31m"), template(3, content="{{"))

    code, out, _ = await run(dsn, file, "--dry-run")

    assert code == 1
    assert out == [
        "conflict template 2: content has {{ at line 1, column 1 without the plain name of a variable: {{",
        f"differs {ID.format(1)} t1: content",
        "  --- content, here",
        "  +++ content, in the file",
        "  @@ -1 +1 @@",
        "  -Hello {{name}}!",
        "  +Hi {{name}}!\\x1b[31m",
        "templates: 0 new, 0 the same, 1 different, 1 in conflict",
        "only in the library: 1",
        "this was a dry run: nothing was stored",
    ]


async def test_programs_read_lines_of_json(dsn: str, tmp_path: Path) -> None:
    file = written(tmp_path, template(1), template(2, type="poem", stars=3), template(3, stars=4))

    code, out, _ = await run(dsn, file, "--json", "--tenant", "acme", "--user", "amelia")

    refused, new, other, summary = map(json.loads, out)
    assert code == 1
    assert (new["status"], new["id"], new["name"], new["diff"]) == ("new", ID.format(1), "t1", None)
    assert (refused["status"], refused["number"], refused["id"]) == ("conflict", 2, None)
    assert other["name"] == "t3"
    assert summary == {
        "status": "summary", "new": 2, "same": 0, "differs": 0, "conflict": 1, "onlyHere": 0, "ignored": ["stars"],
        "dryRun": False,
    }  # fmt: skip
    found = await rows(dsn, "SELECT tenant_id, created_by FROM prompt_templates")
    assert {tuple(row.values()) for row in found} == {("acme", "amelia")}


async def test_what_has_to_be_mended_first_is_told_with_exit_code_2(dsn: str, tmp_path: Path) -> None:
    (tmp_path / "words.csv").write_text("these are words\n")

    absent = await run(dsn, tmp_path / "absent.json")
    words = await run(dsn, tmp_path / "words.csv")
    nobody = await run(dsn, LIBRARY, "--user", "a b")
    folder = await run(dsn, tmp_path)
    other = await colloquy("import", "--dry-run", LIBRARY, DATABASE_URL=dsn)

    assert [result[0] for result in (absent, words, nobody, folder)] == [2, 2, 2, 2]
    assert other.exit_code == 2
    assert absent[2] == f"colloquy: {tmp_path}/absent.json cannot be read: No such file or directory\n"
    assert words[2].startswith(f"colloquy: {tmp_path}/words.csv cannot be read: it is neither JSON, nor CSV")
    assert await rows(dsn, "SELECT id FROM prompt_templates") == []


async def test_an_exported_library_is_the_same_when_it_is_imported(dsn: str, tmp_path: Path) -> None:
    variables = [{"name": "name", "type": "json", "required": False, "default": {"b": 1.0, "a": [None, "ü"]}}]
    many = [_numbered(number, "all") for number in range(AT_ONCE * 2)]
    await run(dsn, LIBRARY, written(tmp_path, template(7, variables=variables, version=3), *many))
    file = tmp_path / "exported.jsonl"

    exported = await colloquy("export", "--format", "prompts", "--output", file, DATABASE_URL=dsn)
    equal = await run(dsn, file, "--dry-run")
    elsewhere = await run(dsn, file, "--tenant", "acme")
    again = await colloquy("export", "--format", "prompts", "--tenant", "acme", DATABASE_URL=dsn)

    assert exported.stderr == "406 prompts written\n"
    assert (equal[0], equal[1][0]) == (0, "templates: 0 new, 406 the same, 0 different, 0 in conflict")
    assert elsewhere[0] == 0
    assert again.stdout_bytes == file.read_bytes()


async def test_two_imports_at_once_take_everything_once(database: Database, dsn: str, tmp_path: Path) -> None:
    first = written(tmp_path, *(_numbered(n, "first") for n in range(300)), name="first.json")
    second = written(tmp_path, *(_numbered(n, "second") for n in reversed(range(300))), name="second.json")

    results = await asyncio.gather(*(taken(database, path) for path in (first, second, first, second)))

    for totals, _ in results:
        assert totals.found[Verdict.CONFLICT] == 0
        assert totals.found.total() == 300
    stored, versions, changes, _ = await everything(dsn)
    assert len(stored) == 300
    assert len(versions) == sum(row["version"] for row in stored)
    assert len(changes) == sum(row["revision"] for row in stored)
    settled, _ = await taken(database, first)
    assert settled.found[Verdict.CONFLICT] == 0
    assert {row["content"] for row in (await everything(dsn))[0]} == {"Hello {{name}} of first"}


def _numbered(number: int, text: str) -> dict[str, Any]:
    id_ = f"0198b3a0-4444-7000-8000-{number:012}"
    return template(0, id=id_, name=f"n{number}", project_id=f"p{number}", enabled=True,
                    content=f"Hello {{{{name}}}} of {text}")  # fmt: skip
