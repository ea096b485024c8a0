"""What a model is given to make a stage of: pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.core.errors import ValidationError
from app.core.text import LARGEST_JSON_BYTES, require_json_size
from app.execution.context_files import chunks_of
from app.messages.values import LONGEST_CONTENT, MOST_CONTEXT_ITEMS, ContextItems
from app.prompts.models import PromptTemplateVersion
from app.prompts.rendering import render
from app.workflow.errors import MaterialTooLong

NAMES = ("project_name", "description", "upstream", "story", "feedback", "previous")
"""What a template may declare as variables: then the text stands in its place. What it does not, save the name, goes
with the message as context."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """An attempt that is being rejected, and why."""

    attempt: int
    content: str
    feedback: str


@dataclass(frozen=True, slots=True)
class Material:
    """The pieces; None and empty for what there is not."""

    project_name: str
    description: str
    upstream: str | None = None
    """What was approved at the stage before."""
    upstream_name: str = ""
    story: str | None = None
    """Of prompts: the story, as Markdown."""
    feedback: Sequence[tuple[int, str]] = field(default_factory=tuple)
    """What reviewers said of earlier attempts: the attempt's number and their words, oldest first."""
    previous: tuple[int, str] | None = None
    """The latest of those attempts, with its number."""

    def texts(self) -> dict[str, str]:
        """Each piece as a template's variable has it."""
        said = [f"On attempt {attempt}: {words}" for attempt, words in self.feedback]
        return {
            "project_name": self.project_name,
            "description": self.description,
            "upstream": self.upstream or "",
            "story": self.story or "",
            "feedback": "\n\n".join(said),
            "previous": self.previous[1] if self.previous else "",
        }

    def chunks(self, but: frozenset[str]) -> Iterator[dict[str, Any]]:
        """The pieces, save those that are named, as a message carries them."""
        if self.story and "story" not in but:
            yield from chunks_of("story", self.story)
        if self.upstream and "upstream" not in but:
            yield from chunks_of(self.upstream_name, self.upstream)
        if "description" not in but:
            yield from chunks_of("project description", self.description)
        if self.previous and "previous" not in but:
            attempt, text = self.previous
            yield from chunks_of(f"attempt {attempt}, which was rejected", text)
        if "feedback" not in but:
            for attempt, words in self.feedback:
                yield from chunks_of(f"a reviewer's feedback on attempt {attempt}", words)


def prompt_of(material: Material, version: PromptTemplateVersion) -> tuple[str, ContextItems]:
    """What the model is asked, and what goes with it. MaterialTooLong; ValidationError for variables of other names."""
    texts = material.texts()
    declared = frozenset(variable.name for variable in version.declared)
    given = {name: text for name, text in texts.items() if name in declared}
    text = render(version.content, version.declared, given, at_most=LONGEST_CONTENT)
    chunks = list(material.chunks(but=declared))
    items = ContextItems(document_chunks=chunks)
    if len(chunks) > MOST_CONTEXT_ITEMS:
        raise MaterialTooLong(LARGEST_JSON_BYTES)
    try:
        require_json_size(items.as_json(), "projectId")
    except ValidationError:
        raise MaterialTooLong(LARGEST_JSON_BYTES) from None
    return text, items
