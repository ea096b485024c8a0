"""Templates of the workflow's stages in libraries that are imported and exported."""

from pathlib import Path

import pytest

from app.db.database import Database
from tests.cli.commands import colloquy
from tests.exchange.test_library_import import ALL, ID, counts, everything, taken, template, written
from tests.worlds import rows

STAGES = "SELECT stage, enabled FROM prompt_templates ORDER BY id"


async def staged(dsn: str) -> list[tuple[str | None, bool]]:
    return [(row["stage"], row["enabled"]) for row in await rows(dsn, STAGES)]


async def test_one_of_each_stage_is_enabled_and_a_second_one_is_a_conflict(
    database: Database, dsn: str, tmp_path: Path
) -> None:
    file = written(
        tmp_path,
        template(1, enabled=True),
        template(2, enabled=True, stage="project_planning"),
        template(3, enabled=True, stage="STORY_GENERATION"),
        template(4, enabled=True, stage="project_planning"),
        template(5, enabled=True, stage="project_planning", projectId="p"),
    )

    told, dry = await taken(database, file, dry_run=True)
    totals, findings = await taken(database, file)
    again, _ = await taken(database, file)

    assert counts(told) == counts(totals) == {"new": 4, "conflict": 1}
    assert findings[-1].reason == dry[-1].reason == f"another template of the project is enabled: {ID.format(2)}"
    assert counts(again) == {"same": 4, "conflict": 1}
    assert await staged(dsn) == [
        (None, True), ("project_planning", True), ("story_generation", True), ("project_planning", False),
        ("project_planning", True),
    ]  # fmt: skip


async def test_two_of_a_stage_take_turns(database: Database, dsn: str, tmp_path: Path) -> None:
    def turned(enabled: int) -> Path:
        return written(
            tmp_path, *(template(n, enabled=n == enabled, stage="project_planning") for n in (1, 2)),
            template(3, enabled=True),
        )  # fmt: skip

    await taken(database, turned(2))
    totals, _ = await taken(database, turned(1))

    assert counts(totals) == {"differs": 2, "same": 1}
    assert [enabled for _, enabled in await staged(dsn)] == [True, False, True]


async def test_a_stage_stays_and_a_file_that_tells_none_leaves_it(database: Database, dsn: str, tmp_path: Path) -> None:
    await taken(database, written(tmp_path, template(1, stage="project_planning"), template(2)))
    await rows(dsn, "UPDATE prompt_templates SET enabled = true, revision = 2 WHERE stage IS NOT NULL")
    before = await everything(dsn)

    old, _ = await taken(database, written(tmp_path, template(1, enabled=True), template(2)))
    other, findings = await taken(
        database,
        written(tmp_path, template(1, stage="story_generation"), template(2, stage="project_planning"),
                template(3, stage=None)),
    )  # fmt: skip
    none, refused = await taken(database, written(tmp_path, template(1, stage=None)))

    assert counts(old) == {"same": 2}
    assert counts(other) == {"conflict": 2, "new": 1}
    assert [finding.reason for finding in [*findings[:2], *refused]] == [
        "it is for the stage project_planning here", "it is for no stage here",
        "it is for the stage project_planning here",
    ]  # fmt: skip
    assert counts(none) == {"conflict": 1}
    assert (await everything(dsn))[0][:2] == before[0]


@pytest.mark.parametrize(
    ("stage", "reason"), [("planning", "stage is none of requirements_analysis, project_p"), (1, "stage is no text")]
)
async def test_what_is_no_stage_is_a_conflict(
    database: Database, dsn: str, tmp_path: Path, stage: object, reason: str
) -> None:
    totals, (finding,) = await taken(database, written(tmp_path, template(1, stage=stage)))

    assert counts(totals) == {"conflict": 1}
    assert reason in (finding.reason or "")
    assert await rows(dsn, ALL) == []


async def test_stages_are_exported_and_read_from_commas(database: Database, dsn: str, tmp_path: Path) -> None:
    path = tmp_path / "library.csv"
    path.write_text(
        f"id,name,content,stage\n{ID.format(1)},one,Hello,prompt_generation\n{ID.format(2)},two,Hello,\n", "utf-8"
    )
    await taken(database, path)

    exported = await colloquy("export", "--format", "prompts", DATABASE_URL=dsn)
    (tmp_path / "exported.jsonl").write_bytes(exported.stdout_bytes)
    equal, _ = await taken(database, tmp_path / "exported.jsonl", dry_run=True)

    assert b'"stage":"prompt_generation"' in exported.stdout_bytes
    assert b'"stage":null' in exported.stdout_bytes
    assert await staged(dsn) == [("prompt_generation", False), (None, False)]
    assert counts(equal) == {"same": 2}
