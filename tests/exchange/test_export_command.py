"""The command `colloquy export`: what it writes, and what it says of what cannot be done."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from app.core.errors import ValidationError
from app.core.ids import global_id, new_id
from app.exchange.errors import UnusableTarget
from app.exchange.files.targets import chosen_sessions, written_file
from app.exchange.formats.names import ExportFormat
from app.exchange.projects import prompts_asked
from app.workflow.bundle import Included
from app.workflow.values import StageStatus
from tests.client import GraphQLClient
from tests.forked import colloquy_process
from tests.workflow.scenes import a_workflow


async def run(dsn: str, *arguments: object) -> tuple[int, bytes, str]:
    code, out, err = await colloquy_process("export", *arguments, DATABASE_URL=dsn)
    return code, out.encode(errors="surrogateescape"), err


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_a_users_sessions_are_written_to_a_file_and_one_to_the_screen(
    client: GraphQLClient, dsn: str, tmp_path: Path
) -> None:
    ids = [await client.create_session(title=title) for title in ("one", "two")]
    await client.say(ids[0], "hello")
    file = tmp_path / "mine.jsonl"

    users = await run(dsn, "--user", "alice@default", "--output", file)
    one = await run(dsn, "--session", ids[0], "--format", "openai")
    none = await run(dsn, "--session", global_id("ChatSession", new_id()))

    assert users == (0, b"", "2 sessions written\n")
    records = [json.loads(line) for line in file.read_bytes().splitlines()]
    assert [record["type"] for record in records] == ["session", "message", "end", "session", "end"]
    assert one == (0, b'{"messages":[{"role":"user","content":"hello"}]}\n', "1 sessions written\n")
    assert none == (1, b"", "0 sessions written\n")
    assert files_in(tmp_path) == [file]


@pytest.mark.parametrize(
    ("session", "user", "everything", "reason"),
    [
        (None, None, False, "say which sessions"),
        (None, "alice", True, "say which sessions"),
        (None, "a b", False, "--user must be user or user@tenant"),
        ("nonsense", None, False, "--session is not a valid id"),
    ],
)
def test_options_that_mean_no_sessions_are_told(
    session: str | None, user: str | None, everything: bool, reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        chosen_sessions(session, user, everything=everything)


def test_a_file_is_there_once_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"

    with pytest.raises(ZeroDivisionError), written_file(file) as target:
        target.write(b"half" * (1 // 0))
    with pytest.raises(UnusableTarget, match="No such file or directory"), written_file(tmp_path / "no" / "file"):
        pass

    assert files_in(tmp_path) == []


async def test_prompts_of_a_project_are_the_bytes_of_the_download(
    client: GraphQLClient, dsn: str, tmp_path: Path
) -> None:
    """Another process gives the same (S2-29)."""
    scene = await a_workflow(dsn, StageStatus.APPROVED, StageStatus.AWAITING_REVIEW, tenant="acme", user="carol")
    url = f"/projects/{scene.id}/prompts.zip"
    downloads = [
        (await client.http.get(url + query, headers={"X-Colloquy-User": "carol@acme"})).content
        for query in ("", "?include=awaiting_review")
    ]
    file = tmp_path / "prompts.zip"

    approved = await run(dsn, "--project", scene.id, "--tenant", "acme", "--output", file)
    both = await run(dsn, "--project", scene.id, "--tenant", "acme", "--include", "awaiting_review", "--output", "-")
    elsewhere = await run(dsn, "--project", scene.id, "--output", tmp_path / "none.zip")

    assert approved == (0, b"", "1 prompts written\n")
    assert file.read_bytes() == downloads[0]
    assert both == (0, downloads[1], "2 prompts written\n")
    assert elsewhere == (1, b"", "colloquy: there is no such project\n0 prompts written\n")
    assert files_in(tmp_path) == [file]


@pytest.mark.parametrize(
    ("project", "include", "sessions", "format_", "reason"),
    [
        (None, Included.APPROVED, [], None, "--include needs --project"),
        ("nonsense", None, [], None, "--project is not a valid id"),
        (global_id("Run", UUID(int=7)), None, [], None, "--project is the id of another type"),
        (global_id("Project", UUID(int=7)), None, ["--user"], None, "--user cannot go with it"),
        (global_id("Project", UUID(int=7)), None, ["--all"], ExportFormat.JSONL, "--all, --format cannot go with it"),
    ],
)
def test_options_that_mean_no_project_alone_are_told(
    project: str | None, include: Included | None, sessions: list[str], format_: ExportFormat | None, reason: str
) -> None:
    with pytest.raises(ValidationError, match=reason):
        prompts_asked(project, include, sessions, format_)
