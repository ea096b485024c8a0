"""Whatever several writers do to a few templates, in whatever order and however much at once: the rows agree."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.actor import Actor
from app.core.errors import AppError, ErrorCode
from app.core.ids import new_id
from app.db.database import Database
from app.prompts.pipeline import PromptPipeline
from app.prompts.values import LabelMove, NewTemplate, Place, Stage, TemplateId, Text, VersionId
from tests.conftest import an_actor
from tests.worlds import rows

TEMPLATES = 3
EXPECTED_REFUSALS = {
    ErrorCode.NOT_FOUND, ErrorCode.VERSION_CONFLICT, ErrorCode.ENABLED_PROMPT_CONFLICT, ErrorCode.ALREADY_EXISTS,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Library:
    """Some templates of one place, and who changes them; what is refused must be one of a few things."""

    database: Database
    templates: list[TemplateId]

    async def tolerant(self, work: Awaitable[Any]) -> None:
        """Await a change that others may be in the way of."""
        try:
            await work
        except AppError as error:
            if error.code not in EXPECTED_REFUSALS:
                raise

    def update(self, actor: Actor, which: int, number: int) -> Awaitable[None]:
        changes = {"content": f"text {number}", **({"name": f"t{number}"} if number % 3 == 0 else {})}
        work = PromptPipeline().update(self.database, actor, self.templates[which], 1 + number % 4, changes, None)
        return self.tolerant(work)

    def enable(self, actor: Actor, which: int, number: int) -> Awaitable[None]:
        replacing = number % 2 == 0
        return self.tolerant(
            PromptPipeline().enable(self.database, actor, self.templates[which], None, replace_enabled=replacing)
        )

    def disable(self, actor: Actor, which: int, number: int) -> Awaitable[None]:
        return self.tolerant(PromptPipeline().disable(self.database, actor, self.templates[which], None))

    def label(self, actor: Actor, which: int, number: int) -> Awaitable[None]:
        version = (1, 2, None)[number % 3]
        move = LabelMove(self.templates[which], f"l{number % 2}", version, (None, 0, 1)[number % 5 % 3])
        return self.tolerant(PromptPipeline().set_label(self.database, actor, move, None))

    def delete(self, actor: Actor, which: int, number: int) -> Awaitable[None]:
        return self.tolerant(PromptPipeline().delete(self.database, actor, self.templates[which], None))


ACTIONS: dict[str, Callable[[Library, Actor, int, int], Awaitable[None]]] = {
    "update": Library.update, "enable": Library.enable, "disable": Library.disable, "label": Library.label,
    "delete": Library.delete,
}  # fmt: skip

# Deletions are rare, or there is soon nothing left to do.
names = st.sampled_from(["update"] * 4 + ["label"] * 4 + ["enable"] * 3 + ["disable"] * 2 + ["delete"])
actions = st.tuples(names, st.integers(0, TEMPLATES - 1), st.sampled_from(["alice", "bob"]), st.integers(0, 11))
programs = st.lists(st.lists(actions, min_size=1, max_size=10), min_size=1, max_size=6)

WRONG_VERSIONS = """
SELECT templates.id FROM prompt_templates templates LEFT JOIN LATERAL (
  SELECT array_agg(version ORDER BY version) AS numbers FROM prompt_template_versions
  WHERE tenant_id = templates.tenant_id AND template_id = templates.id
) versions ON true
WHERE numbers IS DISTINCT FROM (SELECT array_agg(number) FROM generate_series(1, templates.version) number)
"""
WRONG_LATEST = """
SELECT templates.id FROM prompt_templates templates JOIN prompt_template_versions latest
  ON latest.template_id = templates.id AND latest.version = templates.version
WHERE (templates.name, templates.content, templates.type, templates.variables, templates.description)
  IS DISTINCT FROM (latest.name, latest.content, latest.type, latest.variables, latest.description)
"""
WRONG_HISTORY = """
SELECT templates.id FROM prompt_templates templates LEFT JOIN LATERAL (
  SELECT array_agg(revision ORDER BY revision) AS revisions FROM prompt_template_changes
  WHERE tenant_id = templates.tenant_id AND template_id = templates.id
) history ON true
WHERE revisions IS DISTINCT FROM (SELECT array_agg(number) FROM generate_series(1, templates.revision) number)
"""
WRONG_SAVERS = """
SELECT * FROM (
  SELECT template_id, version FROM prompt_template_changes WHERE kind IN ('created', 'updated')
) saved FULL JOIN prompt_template_versions versions USING (template_id, version)
WHERE versions.id IS NULL OR saved IS NULL
"""
WRONG_LABELS = """
SELECT * FROM (
  SELECT DISTINCT ON (template_id, label) template_id, label, version FROM prompt_template_changes
  WHERE label IS NOT NULL ORDER BY template_id, label, revision DESC
) said FULL JOIN prompt_labels labels USING (template_id, label)
WHERE said.version IS DISTINCT FROM labels.version
"""
WRONG_MOVES = """
SELECT * FROM (
  SELECT *, lag(version) OVER (PARTITION BY template_id, label ORDER BY revision) AS before
  FROM prompt_template_changes WHERE label IS NOT NULL
) moves WHERE from_version IS DISTINCT FROM before
"""
WRONG_ENABLED = """
SELECT templates.id FROM prompt_templates templates LEFT JOIN LATERAL (
  SELECT kind FROM prompt_template_changes changes
  WHERE changes.template_id = templates.id AND kind IN ('created', 'enabled', 'disabled', 'deleted')
  ORDER BY revision DESC LIMIT 1
) said ON true
WHERE enabled IS DISTINCT FROM (said.kind = 'enabled') OR (deleted_at IS NOT NULL) <> (said.kind = 'deleted')
"""
TOO_MANY_ENABLED = """
SELECT tenant_id FROM prompt_templates WHERE enabled
GROUP BY tenant_id, organization_id, project_id, stage HAVING count(*) > 1
"""
TIMES_BACKWARDS = """
SELECT * FROM (
  SELECT at, lag(at) OVER (PARTITION BY template_id ORDER BY revision) AS before FROM prompt_template_changes
) lines WHERE at < before
"""
RULES = (
    WRONG_VERSIONS, WRONG_LATEST, WRONG_HISTORY, WRONG_SAVERS, WRONG_LABELS, WRONG_MOVES, WRONG_ENABLED,
    TOO_MANY_ENABLED, TIMES_BACKWARDS,
)  # fmt: skip


# The example database and random seeds are left out: a failure is the same for everybody.
@settings(
    max_examples=40, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(program=programs, in_project=st.booleans(), of_stages=st.integers(0, TEMPLATES))
async def test_history_versions_labels_and_what_is_enabled_agree_after_any_interleaving(
    database: Database, dsn: str, program: list[list[tuple[str, int, str, int]]], in_project: bool, of_stages: int
) -> None:
    # Of one tenant for each example: they have the place to themselves.
    tenant = f"tenant-{new_id()}"
    writers = {name: an_actor(name, tenant) for name in ("alice", "bob")}
    place = Place("apollo") if in_project else Place()
    library = Library(database, [TemplateId(new_id()) for _ in range(TEMPLATES)])
    for number, template in enumerate(library.templates):
        stage = Stage.PROJECT_PLANNING if number < of_stages else None
        new = NewTemplate(template, VersionId(new_id()), Text(f"first {number}", "Hello!"), place, stage=stage)
        await PromptPipeline().create(database, writers["alice"], new, None)

    for step in program:
        await asyncio.gather(
            *(ACTIONS[name](library, writers[writer], which, number) for name, which, writer, number in step)
        )

    assert [await rows(dsn, rule) for rule in RULES] == [[]] * len(RULES)
