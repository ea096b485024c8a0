"""What is to be done with the templates of a file, given what the library has."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from app.exchange.library.values import Finding, ReadTemplate, Verdict
from app.prompts.differences import difference
from app.prompts.models import PromptTemplate
from app.prompts.service import slot_of, text_of
from app.prompts.taking_over import Library, Steps, with_its_variables
from app.prompts.values import PastTemplate, Slot, TemplateId, Text

MOST_DIFF_LINES = 20
"""Of one template in the report."""

_NAMES = ("name", "description", "content", "type", "variables")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A template that is to be enabled where another one is: perhaps the file disables that one later."""

    finding: Finding
    slot: Slot


@dataclass(slots=True)
class Plan:
    """What was found about some templates, and what is to be done."""

    findings: list[Finding] = field(default_factory=list)
    steps: Steps = field(default_factory=Steps)
    waiting: list[Waiting] = field(default_factory=list)


def plan_of(wanted: Sequence[ReadTemplate], library: Library, enabled: dict[Slot, TemplateId | None]) -> Plan:
    """What is to be done. `enabled` says which template is enabled in the slots, and is kept."""
    plan = Plan()
    judged = [(one, *_judged(one, library)) for one in (_with_its_stage(one, library) for one in wanted)]
    # First, so that of two that take turns the one makes room for the other, whichever stands first.
    for one, finding, _ in judged:
        stored = library.templates.get(one.past.new.id)
        if finding.verdict is not Verdict.CONFLICT and stored and stored.enabled and not one.past.new.enabled:
            plan.steps.disable.append(one.past.new.id)
            enabled[one.past.new.slot] = None
    for one, finding, text in judged:
        _add(plan, one.past, finding, text, library, enabled)
    return plan


def _add(
    plan: Plan,
    past: PastTemplate,
    finding: Finding,
    text: Text | None,
    library: Library,
    enabled: dict[Slot, TemplateId | None],
) -> None:
    new = past.new
    waits = False
    if finding.verdict is not Verdict.CONFLICT and new.enabled:
        waits = enabled.get(new.slot) not in (None, new.id)
        if not waits:
            enabled[new.slot] = new.id
    if finding.verdict is Verdict.NEW:
        plan.steps.store.append(replace(past, new=replace(new, enabled=False)) if waits else past)
    elif finding.verdict is Verdict.DIFFERS:
        if text is not None:
            plan.steps.save.append((new.id, text))
        if new.enabled and not waits and not library.templates[new.id].enabled:
            plan.steps.enable.append(new.id)
    if waits:
        plan.waiting.append(Waiting(finding, new.slot))
    else:
        plan.findings.append(finding)


def _with_its_stage(one: ReadTemplate, library: Library) -> ReadTemplate:
    """A template of a file that tells no stages is for the stage that it is for here."""
    stored = library.templates.get(one.past.new.id)
    if one.staged or stored is None:
        return one
    return replace(one, past=replace(one.past, new=replace(one.past.new, stage=slot_of(stored).stage)))


def _judged(one: ReadTemplate, library: Library) -> tuple[Finding, Text | None]:
    """What is found about a template, and its text where that is a new version of one that is there."""
    new = one.past.new
    finding = Finding(one.number, Verdict.NEW, new.id, new.text.name)
    stored = library.templates.get(new.id)
    holder = library.names.get((new.place, new.text.name))
    reason = None if stored is None else _refused(stored, new.slot)
    if reason is None and holder not in (None, new.id):
        reason = f"another template of the project has its name: {holder}"
    if reason is not None:
        return replace(finding, verdict=Verdict.CONFLICT, reason=reason), None
    return (finding, None) if stored is None else _compared(one, stored, finding)


def _refused(stored: PromptTemplate, slot: Slot) -> str | None:
    if stored.deleted_at is not None:
        return "a template with its id was deleted here"
    here = slot_of(stored)
    if here.place != slot.place:
        place = here.place
        return f"it belongs here to the project {place.project_id} of the organization {place.organization_id}"
    if here.stage != slot.stage:
        return f"it is for {f'the stage {here.stage}' if here.stage else 'no stage'} here"
    return None


def _compared(one: ReadTemplate, stored: PromptTemplate, finding: Finding) -> tuple[Finding, Text | None]:
    here, there = text_of(stored), one.past.new.text
    if not one.declares:
        # What was declared here in more words than the file has stays.
        kept = with_its_variables(there, here.variables).variables
        there = replace(there, variables=here.variables if there.content == here.content else kept)
    fields = () if there.says_the_same(here) else tuple(_differing(here, there))
    switched = ("enabled",) if stored.enabled != one.past.new.enabled else ()
    if not fields and not switched:
        return replace(finding, verdict=Verdict.SAME), None
    diff = _short(difference(here, there, "here", "in the file").unified)
    return replace(finding, verdict=Verdict.DIFFERS, fields=fields + switched, diff=diff), there if fields else None


def _differing(here: Text, there: Text) -> Iterable[str]:
    for name in _NAMES:
        if not replace(here, **{name: getattr(there, name)}).says_the_same(here):
            yield name


def _short(diff: str) -> str:
    lines = diff.split("\n")
    more = len(lines) - MOST_DIFF_LINES
    return diff if more <= 0 else "\n".join([*lines[:MOST_DIFF_LINES], f"… and {more} more lines"])
