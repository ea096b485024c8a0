"""What became of libraries of prompts, for people and for programs."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager

import orjson
from rich.console import Console

from app.core import progress
from app.exchange.display import in_one_line
from app.exchange.library.values import Finding, LibraryTotals, Verdict
from app.prompts.models import PromptTemplate

_EXPORTED = (
    "id", "name", "description", "content", "type", "variables", "project_id", "organization_id", "stage", "enabled",
    "version", "created_at", "updated_at",
)  # fmt: skip


def progress_of(totals: LibraryTotals) -> AbstractAsyncContextManager[None]:
    """Tell on standard error how far it is, for as long as the block runs.

    In lines, also on a terminal: templates are told meanwhile, and a bar would take those for its own.
    """
    done = progress.Done(lambda: f"{totals.found.total():,} templates", totals.found.total, None)
    return progress.shown(done, Console(stderr=True, force_terminal=False))


def told(finding: Finding) -> Iterator[str]:
    """The lines about one template; none where it is the same."""
    if finding.verdict is Verdict.SAME:
        return
    named = "" if finding.id is None else f" {finding.id} {finding.name}"
    why = finding.reason or ", ".join(finding.fields)
    yield in_one_line(f"{finding.verdict}{named}{': ' if named and why else ' ' if why else ''}{why}")
    for line in finding.diff.split("\n") if finding.diff else ():
        yield in_one_line(f"  {line}")


def as_json(finding: Finding) -> str:
    """One template as a line of JSON."""
    return orjson.dumps(
        {
            "status": finding.verdict.value, "number": finding.number, "id": finding.id, "name": finding.name,
            "fields": finding.fields, "diff": finding.diff or None, "reason": finding.reason,
        }
    ).decode()  # fmt: skip


def summary(totals: LibraryTotals, *, dry_run: bool) -> Iterator[str]:
    """What became of the files, in lines."""
    new, same, differing, conflicts = (totals.found[verdict] for verdict in Verdict)
    done = "different" if dry_run else "updated"
    yield f"templates: {new:,} new, {same:,} the same, {differing:,} {done}, {conflicts:,} in conflict"
    yield f"only in the library: {totals.only_here:,}"
    if totals.ignored:
        yield in_one_line(f"columns that have no place: {', '.join(sorted(totals.ignored))}")
    if dry_run:
        yield "this was a dry run: nothing was stored"


def summary_as_json(totals: LibraryTotals, *, dry_run: bool) -> str:
    """The same as a line of JSON."""
    counts = {verdict.value: totals.found[verdict] for verdict in Verdict}
    return orjson.dumps(
        {
            "status": "summary", **counts, "onlyHere": totals.only_here, "ignored": sorted(totals.ignored),
            "dryRun": dry_run,
        }
    ).decode()  # fmt: skip


def line_of(template: PromptTemplate) -> bytes:
    """A template as a line of a file that can be imported again."""
    return orjson.dumps({name: getattr(template, name) for name in _EXPORTED}, default=str)
