"""What differs between two versions of a prompt."""

import asyncio

import strawberry
from strawberry import field

from app.graph.context import Info
from app.prompts.differences import difference
from app.prompts.errors import VersionNotFound
from app.prompts.loaders import VersionNumbered
from app.prompts.models import PromptTemplateVersion
from app.prompts.service import text_of
from app.prompts.values import TemplateId

_WHOLE = frozenset({"content", "variables"})


@strawberry.type(name="PromptDiff", description="What differs between two versions of a prompt template.")
class PromptDiffType:
    from_: int = field(name="from", description="The number of the version it begins with.")
    to: int = field(description="The number of the version it leads to.")
    unified: str = field(
        description="The lines of name, type, description, variables and content that differ, each where it does, as a "
        "unified diff; empty where both say the same."
    )
    added_lines: int = field(description="How many lines are new.")
    removed_lines: int = field(description="How many lines are gone.")


async def diff_of(info: Info, template_id: TemplateId, from_: int, to: int) -> PromptDiffType:
    """What differs. VersionNotFound naming `from` or `to`."""
    loader = info.context.loader(VersionNumbered)
    found = await asyncio.gather(*(loader.load((template_id, number, _WHOLE)) for number in (from_, to)))
    old, new = _there(found[0], "from"), _there(found[1], "to")
    names = (f"version {number}" for number in (from_, to))
    made = difference(text_of(old), text_of(new), *names)
    return PromptDiffType(
        from_=from_, to=to, unified=made.unified, added_lines=made.added_lines, removed_lines=made.removed_lines
    )


def _there(version: PromptTemplateVersion | None, argument: str) -> PromptTemplateVersion:
    if version is None:
        raise VersionNotFound(argument, "the prompt template has no such version")
    return version
