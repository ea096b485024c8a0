"""Seeded projects are such as the workflow would have stored, each as far as one of its kind comes."""

import re
from collections import Counter

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.db.database import Database
from app.prompts.values import Stage
from app.seeding.chance import users_of
from app.seeding.project_rows import PROJECT_TABLES, ProjectRow, StageRow, no_project_rows
from app.seeding.projects import ProjectKind, ProjectTeller
from app.seeding.rows import EventRow, Rows
from app.seeding.runner import install_templates, seed_projects
from app.seeding.subjects import subject_of
from app.seeding.values import Totals
from app.workflow.defaults import DEFAULTS
from app.workflow.stories import as_markdown
from tests.seeding.test_run import command
from tests.seeding.worlds import NOW, a_plan
from tests.worlds import rows, stored

EVENTS = "SELECT * FROM events WHERE stream_id = $1 ORDER BY seq"
STAGES = "SELECT * FROM workflow_stages WHERE project_id = $1 ORDER BY created_at, stage, story_index, attempt"
WRONG_STATUSES = """
SELECT s.id FROM workflow_stages s JOIN reviews r ON r.id = s.review_id
WHERE s.status <> CASE r.status WHEN 'pending' THEN 'awaiting_review' ELSE r.status END OR r.project_id <> s.project_id
   OR r.stage <> s.stage OR r.service_name <> s.model OR r.updated_at <> s.updated_at
"""
WRONG_DECISIONS = """
SELECT r.id FROM reviews r FULL JOIN review_decisions d ON d.review_id = r.id
WHERE r.id IS NULL OR (r.decisions, r.feedback, r.decided_by, r.decided_at)
  IS DISTINCT FROM (coalesce(d.number, 0), d.feedback, d.decided_by, d.at)
"""
BUILT_TOO_EARLY = """
SELECT s.id FROM workflow_stages s JOIN workflow_stages u ON u.id = s.upstream_id JOIN reviews r ON r.id = u.review_id
WHERE u.status <> 'approved' OR r.decided_at > s.created_at
"""
WRONG_ATTEMPTS = """
SELECT stage FROM workflow_stages GROUP BY project_id, stage, upstream_id, story_index
HAVING min(attempt) <> 1 OR max(attempt) <> count(*) OR count(DISTINCT attempt) <> count(*)
"""
WRONG_EVENTS = """
SELECT p.id FROM projects p LEFT JOIN LATERAL (
  SELECT array_agg(seq ORDER BY seq) AS numbers, max(at) AS last, min(at) AS first,
    bool_and(owner_id = '') AS shared FROM events WHERE stream_id = p.id
) e ON true
WHERE numbers IS DISTINCT FROM (SELECT array_agg(n) FROM generate_series(1, p.last_event) n)
   OR last <> updated_at OR first <> created_at OR NOT shared
"""
BACKWARDS = """
SELECT * FROM (SELECT at, lag(at) OVER (PARTITION BY stream_id ORDER BY seq) AS before FROM events) e WHERE at < before
"""
RULES = (WRONG_STATUSES, WRONG_DECISIONS, BUILT_TOO_EARLY, WRONG_ATTEMPTS, WRONG_EVENTS, BACKWARDS)


def told(projects: int, seed: int = 2968) -> Rows:
    plan = a_plan(seed=seed)
    found = no_project_rows()
    teller = ProjectTeller(plan, users_of(plan))
    for index in range(projects):
        teller.tell(index, found)
    return found


def test_the_same_plan_gives_the_same_rows_however_many_there_are() -> None:
    few, many = told(6), told(30)

    assert told(6) == few
    assert all(many[kind][: len(few[kind])] == few[kind] for kind in PROJECT_TABLES)
    assert told(6, seed=1)[ProjectRow] != few[ProjectRow]
    plan = a_plan()
    teller = ProjectTeller(plan, users_of(plan))
    assert [row.id for row in many[ProjectRow]] == [teller.project_id(index) for index in range(30)]


def test_nothing_of_a_project_is_in_the_future() -> None:
    found = told(300)

    assert max(row.at for row in found[EventRow]) <= NOW
    assert {row.stage for row in found[StageRow]} == set(Stage)


async def test_projects_of_all_kinds_agree_with_what_is_told_of_them(database: Database, dsn: str) -> None:
    plan, totals = a_plan(projects=12), Totals(0)
    await seed_projects(database, plan, totals)
    teller = ProjectTeller(plan, users_of(plan))

    assert [await rows(dsn, rule) for rule in RULES] == [[]] * len(RULES)
    statuses = {
        teller.kind(index): Counter(
            (row["stage"], row["status"]) for row in await rows(dsn, STAGES, teller.project_id(index))
        )
        for index in range(6)
    }
    requirements, plan_, stories, prompts = (stage.value for stage in Stage)
    finished = statuses[ProjectKind.FINISHED]
    assert {key: count for key, count in finished.items() if key[0] != prompts} == {
        (requirements, "approved"): 1, (plan_, "approved"): 1, (stories, "approved"): 1,
    }  # fmt: skip
    assert finished[prompts, "approved"] == finished.total() - 3 >= 4
    assert statuses[ProjectKind.DESCRIBED] == {}
    assert statuses[ProjectKind.ANALYSED] == {(requirements, "failed"): 1, (requirements, "awaiting_review"): 1}
    assert statuses[ProjectKind.APPROVED] == {(requirements, "approved"): 1}
    assert statuses[ProjectKind.CUT][stories, "awaiting_review"] == 1
    revised = statuses[ProjectKind.REVISED]
    assert (revised[plan_, "rejected"], revised[plan_, "approved"]) == (1, 1)
    assert (revised[prompts, "approved"], revised[prompts, "rejected"]) == (1, 1)
    assert revised[prompts, "awaiting_review"] >= 3
    assert totals.projects == 12


async def test_a_projects_events_are_those_of_its_stages(database: Database, dsn: str) -> None:
    plan = a_plan(projects=6)
    await seed_projects(database, plan, Totals(0))
    revised = ProjectTeller(plan, users_of(plan)).project_id(5)

    events = await rows(dsn, EVENTS, revised)
    stages = await rows(dsn, STAGES, revised)

    kinds = Counter(row["kind"] for row in events)
    assert kinds["project.created"] == 1
    assert kinds["stage.requested"] == kinds["stage.generating"] == kinds["stage.awaiting_review"] == len(stages)
    assert kinds["stage.rejected"] == 2
    [rejected, *_] = [row for row in stages if row["status"] == "rejected"]
    [again] = [row for row in stages if (row["stage"], row["attempt"]) == (rejected["stage"], 2)]
    assert again["created_at"] == rejected["updated_at"]
    [decision] = await rows(dsn, "SELECT * FROM review_decisions WHERE review_id = $1", rejected["review_id"])
    assert (decision["kind"], again["created_by"]) == ("request_changes", decision["decided_by"])
    told_stories = await rows(
        dsn, "SELECT t.* FROM stories t JOIN workflow_stages s ON s.id = story_generation_id WHERE project_id = $1 "
        "ORDER BY story_index", revised,
    )  # fmt: skip
    [list_] = [row for row in stages if row["stage"] == "story_generation"]
    assert len(told_stories) >= 4
    assert [row["story_index"] for row in told_stories] == list(range(len(told_stories)))
    assert f"## 1. {told_stories[0]['title']}\n" in list_["content"]


async def test_more_projects_may_be_added_and_deleted_ones_stay_away(database: Database, dsn: str) -> None:
    first, second, again = Totals(0), Totals(0), Totals(0)
    await seed_projects(database, a_plan(projects=3), first)
    await rows(dsn, "DELETE FROM projects WHERE id = $1", ProjectTeller(a_plan(), users_of(a_plan())).project_id(0))

    await seed_projects(database, a_plan(projects=60), second)
    whole = await stored(dsn)
    await seed_projects(database, a_plan(projects=60), again)

    assert (first.projects, second.projects, second.known_projects) == (3, 57, 3)
    assert (again.projects, again.known_projects) == (0, 60)
    assert await stored(dsn) == whole
    assert whole["projects"][0] == 59


async def test_templates_are_installed_once(database: Database, dsn: str) -> None:
    first, second = await install_templates(database, a_plan()), await install_templates(database, a_plan())

    found = await rows(dsn, "SELECT name, stage, enabled, content FROM prompt_templates ORDER BY name")
    assert (first, second) == (4, 0)
    assert [tuple(row.values()) for row in found] == sorted(
        (text.name, stage.value, True, text.content) for stage, text in DEFAULTS.items()
    )


async def test_the_command_adds_projects_and_templates(dsn: str) -> None:
    only = await command(dsn, "--templates-only")
    first = await command(dsn, "--sessions", "2", "--projects", "2")
    more = await command(dsn, "--sessions", "2", "--projects", "5")

    assert only == (0, "templates of the workflow: 4 new\n", "")
    assert (first[0], first[2], more[0]) == (0, "", 0)
    assert re.search(r"\nprojects: 2 new\ntemplates of the workflow: 0 new\n", first[1])
    assert "sessions: 0 new, 2 already there\n" in more[1]
    assert "projects: 3 new, 2 already there\n" in more[1]
    assert len(await rows(dsn, "SELECT id FROM projects")) == 5


@pytest.mark.parametrize("amount", ["-1", "100001"])
def test_an_amount_of_nobody_is_refused(amount: str) -> None:
    refused = CliRunner().invoke(cli, ["seed", "--projects", amount])

    assert refused.exit_code == 2
    assert refused.stderr.startswith("colloquy: --projects must be between 0 and 100,000")


def test_subjects_are_whole() -> None:
    plan = a_plan()
    teller = ProjectTeller(plan, users_of(plan))
    subjects = {subject.name: subject for subject in (subject_of(teller._begun(index)[0]) for index in range(200))}

    assert len(subjects) >= 12
    for subject in subjects.values():
        said = f"{subject.description} {as_markdown(subject.stories)}"
        assert "{" not in said
        assert 4 <= len(subject.stories) <= 6
