"""Downloads of prompts: which are in them, under what names, the same bytes everywhere, and for nobody else."""

import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID
from zipfile import ZIP_STORED, ZipFile

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.ids import global_id, new_id
from app.db.database import Database, PoolSettings
from app.workflow.bundle import (
    LONGEST_SLUG,
    MANIFEST,
    BundledPrompt,
    BundledStory,
    Included,
    ProjectPrompts,
    bundled,
    file_name,
)
from app.workflow.errors import NotPossibleNow
from app.workflow.values import LONGEST_TITLE, MOST_STORIES, ProjectId, StageId, StageStatus
from tests.client import GraphQLClient, client_of
from tests.conftest import execute
from tests.fakes import StatementRecorder
from tests.workflow.scenes import PG, PP, SG, Scene, a_project, a_workflow
from tests.worlds import ClientAs, rows

AWAITING, APPROVED, REJECTED = StageStatus.AWAITING_REVIEW, StageStatus.APPROVED, StageStatus.REJECTED
FAILED, STALE, PENDING = StageStatus.FAILED, StageStatus.STALE, StageStatus.PENDING


async def got(client: GraphQLClient, url: str, **headers: str) -> httpx2.Response:
    return await client.http.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})


def url_of(scene: Scene, include: str = "") -> str:
    return f"/projects/{scene.id}/prompts.zip{include}"


def opened(answer: httpx2.Response) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest of an archive, and the other files by their names."""
    assert answer.status_code == 200, answer.text
    with ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(files.pop(MANIFEST)), files


@pytest.fixture
async def shop(dsn: str) -> Scene:
    """Six stories: with an approved prompt after a rejected one, one that awaits review, and so on; two are named."""
    scene = await a_workflow(dsn, until=(APPROVED, APPROVED), name="Mein Büro: Café")
    await scene.add(SG, APPROVED, stories=6)
    await scene.add(PG, REJECTED, story_index=0, content="first try")
    await scene.add(PG, APPROVED, story_index=0, content="Pay with ünïcode\r\n\r\n", model="openai:gpt")
    await scene.add(PG, AWAITING, story_index=0, content="too late")
    await scene.add(PG, AWAITING, story_index=1, content="older")
    await scene.add(PG, AWAITING, story_index=1, content="newer")
    await scene.add(PG, FAILED, story_index=1)
    await scene.add(PG, REJECTED, story_index=2, content="no")
    await scene.add(PG, APPROVED, story_index=3, content="last")
    await scene.add(PG, PENDING, story_index=4)
    await execute(dsn, "UPDATE stories SET title = 'Über die Kasse, schnell!' WHERE story_index = 0")
    await execute(dsn, "UPDATE stories SET title = '支払い' WHERE story_index = 3")
    await execute(dsn, "UPDATE reviews SET decided_at = '2026-01-31 12:05:00.25+02' WHERE status <> 'pending'")
    return scene


async def test_the_archive_has_a_file_for_each_approved_prompt_and_a_manifest(
    client: GraphQLClient, shop: Scene
) -> None:
    answer = await got(client, url_of(shop))

    manifest, files = opened(answer)
    assert files == {
        "01-uber-die-kasse-schnell.md": "Pay with ünïcode\r\n\r\n".encode(),
        "04-story.md": b"last\n",
    }
    assert manifest["version"] == 1
    assert manifest["project"] == {"id": shop.id, "name": "Mein Büro: Café"}
    assert manifest["storyGeneration"] == {"id": shop.newest(SG).id, "attempt": 1}
    first = next(attempt for attempt in shop.attempts if attempt.stage is PG and await_of(attempt.key, shop) == 1)
    assert manifest["stories"][0] == {
        "index": 0, "title": "Über die Kasse, schnell!", "priority": "HIGH", "estimate": 0, "status": "APPROVED",
        "promptGenerationId": first.id, "attempt": 2, "file": "01-uber-die-kasse-schnell.md",
        "sha256": sha256(files["01-uber-die-kasse-schnell.md"]).hexdigest(), "model": "openai:gpt",
        "decidedBy": "alice", "decidedAt": "2026-01-31T10:05:00.250000+00:00",
    }  # fmt: skip
    told = [(story["index"], story["status"], story["file"]) for story in manifest["stories"]]
    assert told == [
        (0, "APPROVED", "01-uber-die-kasse-schnell.md"), (1, "FAILED", None), (2, "REJECTED", None),
        (3, "APPROVED", "04-story.md"), (4, "PENDING", None), (5, None, None),
    ]  # fmt: skip
    assert dict(answer.headers) == {
        "cache-control": "private, no-cache",
        "content-disposition": 'attachment; filename="mein-buro-cafe-prompts.zip"',
        "content-length": str(len(answer.content)),
        "content-type": "application/zip",
        "etag": f'"sha256-{sha256(answer.content).hexdigest()}"',
        "vary": "X-Colloquy-User",
        "x-content-type-options": "nosniff",
        "x-correlation-id": answer.headers["x-correlation-id"],
    }


def await_of(key: UUID, scene: Scene) -> int:
    """The place of an attempt among the prompts of a scene."""
    return [attempt.key for attempt in scene.attempts if attempt.stage is PG].index(key)


async def test_prompts_that_await_review_come_along_where_they_are_wanted(client: GraphQLClient, shop: Scene) -> None:
    manifest, files = opened(await got(client, url_of(shop, "?include=awaiting_review")))

    assert list(files) == ["01-uber-die-kasse-schnell.md", "02-plain-1.md", "04-story.md"]
    assert files["02-plain-1.md"] == b"newer\n"
    second = manifest["stories"][1]
    assert (second["status"], second["attempt"], second["decidedBy"], second["decidedAt"]) == (
        "AWAITING_REVIEW", 2, None, None,
    )  # fmt: skip
    assert manifest["stories"][0]["attempt"] == 2


async def test_two_processes_give_the_same_bytes_with_one_statement_each(
    dsn: str, services: Any, shop: Scene, statements: StatementRecorder, client: GraphQLClient
) -> None:
    statements.clear()
    first = await got(client, url_of(shop))
    assert len(statements.sent) == 1
    another = await Database.connect(dsn, PoolSettings())
    try:
        async with client_of(another, services, "bob") as bob:
            second = await got(bob, url_of(shop))
    finally:
        await another.close()
    statements.clear()
    await got(client, url_of(await a_workflow(dsn, APPROVED)))

    assert second.content == first.content
    assert second.headers["etag"] == first.headers["etag"]
    assert len(statements.sent) == 1


async def test_what_the_client_has_is_not_sent_again_until_something_is_decided(
    client: GraphQLClient, shop: Scene, dsn: str
) -> None:
    for url in (url_of(shop), f"/projects/{shop.id}/prompts/{shop.newest(PG).id}.md"):
        if url.endswith(".md"):
            await execute(dsn, f"UPDATE workflow_stages SET content = 'x' WHERE id = '{shop.newest(PG).key}'")
        whole = await got(client, url)
        same = await got(client, url, if_none_match=whole.headers["etag"])
        head = await client.http.head(url)

        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", whole.headers["etag"])
        assert "content-disposition" not in same.headers
        assert (head.status_code, head.content) == (200, b"")
        kept = [{n: v for n, v in answer.headers.items() if n != "x-correlation-id"} for answer in (whole, head)]
        assert kept[0] == kept[1]

    etag = (await got(client, url_of(shop))).headers["etag"]
    await execute(dsn, "UPDATE reviews SET decided_by = 'bob' WHERE status = 'approved'")
    assert (await got(client, url_of(shop), if_none_match=etag)).status_code == 200


async def test_one_prompt_is_downloaded_as_it_is_whatever_was_decided(
    client: GraphQLClient, shop: Scene, statements: StatementRecorder
) -> None:
    prompts = [attempt for attempt in shop.attempts if attempt.stage is PG]
    statements.clear()

    rejected = await got(client, f"/projects/{shop.id}/prompts/{prompts[0].id}.md")

    assert len(statements.sent) == 1
    assert (rejected.status_code, rejected.content) == (200, b"first try\n")
    assert dict(rejected.headers) == {
        "cache-control": "private, no-cache",
        "content-disposition": 'attachment; filename="01-uber-die-kasse-schnell.md"',
        "content-length": "10",
        "content-type": "text/markdown; charset=utf-8",
        "etag": f'"sha256-{sha256(b"first try" + bytes([10])).hexdigest()}"',
        "vary": "X-Colloquy-User",
        "x-content-type-options": "nosniff",
        "x-correlation-id": rejected.headers["x-correlation-id"],
    }
    for failed in (prompts[5], prompts[8]):
        refused = await got(client, f"/projects/{shop.id}/prompts/{failed.id}.md")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "INVALID_TRANSITION")
        assert "nothing is written" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("until", "prompts", "include", "missing"),
    [
        ((), (), "", "no approved list of stories"),
        ((APPROVED, APPROVED, AWAITING), (), "", "no approved list of stories"),
        ((APPROVED, APPROVED, STALE), (), "", "no approved list of stories"),
        ((APPROVED,) * 3, (AWAITING, REJECTED), "", "has an approved prompt"),
        ((APPROVED,) * 3, (REJECTED, STALE), "?include=awaiting_review", "and none that awaits review"),
    ],
)
async def test_nothing_to_download_is_told(
    client: GraphQLClient, dsn: str, until: Any, prompts: Any, include: str, missing: str
) -> None:
    scene = await a_workflow(dsn, *prompts, until=until)

    answer = await got(client, url_of(scene, include))

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["field"]) == (409, "INVALID_TRANSITION", "projectId")
    assert missing in error["message"]
    assert error["hint"]


async def test_prompts_of_a_list_that_is_no_longer_approved_are_left_out(client: GraphQLClient, dsn: str) -> None:
    scene = await a_workflow(dsn, APPROVED, until=(APPROVED, APPROVED, REJECTED))
    newer = await scene.add(SG, APPROVED, upstream=scene.newest(PP))
    await scene.add(PG, APPROVED, upstream=newer, story_index=2, content="new")

    manifest, files = opened(await got(client, url_of(scene)))

    assert files == {"03-plain-2.md": b"new\n"}
    assert manifest["storyGeneration"] == {"id": newer.id, "attempt": 2}


@pytest.fixture
async def both(dsn: str) -> tuple[Scene, Scene]:
    """A project of one's own tenant, and one of another's."""
    return await a_workflow(dsn, APPROVED), await a_workflow(dsn, APPROVED, tenant="acme", mark="strangers")


async def test_projects_are_the_tenants_and_nobody_elses(
    client_as: ClientAs, both: tuple[Scene, Scene], dsn: str
) -> None:
    own, theirs = both
    mine, their_prompt = own.newest(PG), theirs.newest(PG)
    for user in ("bob", "system"):
        client = await client_as(user)
        assert (await got(client, url_of(own))).status_code == 200
        nowhere = await got(client, f"/projects/{global_id('Project', new_id())}/prompts.zip")
        foreign = await got(client, url_of(theirs))
        assert (nowhere.status_code, nowhere.json()["error"]["code"]) == (404, "NOT_FOUND")
        assert foreign.json()["error"] == nowhere.json()["error"]

        lost = await got(client, f"/projects/{own.id}/prompts/{global_id('PromptGeneration', new_id())}.md")
        assert (lost.status_code, lost.json()["error"]["code"]) == (404, "NOT_FOUND")
        for project, prompt in (
            (theirs.id, their_prompt.id), (own.id, their_prompt.id), (theirs.id, mine.id),
            (own.id, global_id("PromptGeneration", own.newest(SG).key)),
        ):  # fmt: skip
            answer = await got(client, f"/projects/{project}/prompts/{prompt}.md")
            assert answer.json()["error"] == lost.json()["error"], (project, prompt)
    stranger = await client_as("alice@acme")
    assert (await got(stranger, url_of(theirs))).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/projects/nonsense/prompts.zip", "/projects/{run}/prompts.zip", "/projects/{own}/prompts.zip?include=all",
        "/projects/{own}/prompts/nonsense.md", "/projects/{own}/prompts/{stories}.md",
    ],
)  # fmt: skip
async def test_what_names_nothing_is_refused(client: GraphQLClient, dsn: str, path: str) -> None:
    scene = await a_workflow(dsn, APPROVED)
    named = {"own": scene.id, "run": global_id("Run", new_id()), "stories": scene.newest(SG).id}

    answer = await got(client, path.format(**named))

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert (await client.http.post(url_of(scene))).status_code == 405


async def test_a_project_that_is_deleted_is_not_there(client: GraphQLClient, dsn: str) -> None:
    scene = await a_project(dsn)
    await rows(dsn, "DELETE FROM projects WHERE id = $1", scene.key)

    assert (await got(client, url_of(scene))).status_code == 404


GOLDEN = "9c84df2351b308018e8334d2583b5d34429cf86462247b838c6da8aaeb62e0b4"
"""Of the archive below, by whatever release made it."""

DECIDED = datetime(2026, 1, 31, 12, tzinfo=UTC)
PROMPT = BundledPrompt(StageId(UUID(int=3)), 2, "Build it.", "local:echo", "alice", DECIDED)
PROMPTS = ProjectPrompts(
    ProjectId(UUID(int=1)), "Shop", StageId(UUID(int=2)), 4,
    (BundledStory(0, "Pay", "low", 3, APPROVED, PROMPT), BundledStory(1, "Ship", "high", 8, None, None)),
)  # fmt: skip


def test_an_archive_says_nothing_of_where_and_when_it_was_made() -> None:
    bundle = bundled(PROMPTS, Included.APPROVED)

    with ZipFile(io.BytesIO(bundle.data)) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == ["manifest.json", "01-pay.md"]
    for entry in entries:
        assert (entry.date_time, entry.compress_type, entry.create_system) == ((1980, 1, 1, 0, 0, 0), ZIP_STORED, 3)
        assert (entry.external_attr >> 16, entry.extra, entry.comment) == (0o100644, b"", b"")
    assert bundle.digest == sha256(bundle.data).hexdigest() == GOLDEN
    assert (bundle.name, bundle.prompts) == ("shop-prompts.zip", 1)
    assert bundled(replace(PROMPTS, name="支"), Included.APPROVED).name == "prompts.zip"


def test_nothing_is_no_archive() -> None:
    with pytest.raises(NotPossibleNow):
        bundled(replace(PROMPTS, stories=PROMPTS.stories[1:]), Included.APPROVED)


_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


_TITLE = st.text(min_size=1, max_size=LONGEST_TITLE) | st.sampled_from(["con", "NUL.txt", "../..", "a\\b", ". "])


@given(st.lists(_TITLE, min_size=1, max_size=MOST_STORIES))
def test_names_of_files_are_unique_and_safe_whatever_the_titles_are(titles: list[str]) -> None:
    names = [file_name(index, title) for index, title in enumerate(titles)]

    assert len({name.casefold() for name in names}) == len(names)
    assert names == sorted(names)
    assert MANIFEST not in names
    for name in names:
        assert re.fullmatch(r"[0-9]{2}-[a-z0-9]+(-[a-z0-9]+)*\.md", name), name
        assert len(name) <= LONGEST_SLUG + len("50-.md")
        assert not _RESERVED.fullmatch(name)
