"""The prompts of a project as files: what they are called, what is in them, and the archive they come in; pure."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import orjson

from app.core.ids import global_id
from app.core.text import slug
from app.prompts.values import Stage
from app.workflow.errors import NotPossibleNow
from app.workflow.models import Project
from app.workflow.values import NODE_TYPES, ProjectId, StageId, StageStatus

LONGEST_SLUG = 60
"""Characters of a title in a file's name: a title is a sentence."""

VERSION = 1
"""Of the manifest: raised when who reads it could not understand it any more."""

MANIFEST = "manifest.json"

_UNIX = 3
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first moment that an archive can name: that of a download would make each one another file."""
_READABLE_FILE = 0o100644
_READABLE_JSON = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


class Included(StrEnum):
    """Which prompts are in a bundle."""

    APPROVED = "approved"
    AWAITING_REVIEW = "awaiting_review"
    """Also, of stories without an approved prompt, the newest one that awaits review."""

    @property
    def statuses(self) -> list[str]:
        """What the prompts may be."""
        also = [StageStatus.AWAITING_REVIEW.value] if self is Included.AWAITING_REVIEW else []
        return [StageStatus.APPROVED.value, *also]


@dataclass(frozen=True, slots=True)
class BundledPrompt:
    """A prompt that is in the bundle."""

    id: StageId
    attempt: int
    content: str
    model: str
    decided_by: str | None
    decided_at: datetime | None

    @property
    def file(self) -> bytes:
        """What is in its file: what a person pastes, and nothing else."""
        return in_file(self.content)


@dataclass(frozen=True, slots=True)
class BundledStory:
    """A story of the list, with its prompt where one is in the bundle."""

    index: int
    title: str
    priority: str
    estimate: int
    status: StageStatus | None
    """Of the prompt; where none is in the bundle, of the newest attempt at one."""
    prompt: BundledPrompt | None

    @property
    def file_name(self) -> str:
        """What its file is called in the bundle, and alone."""
        return file_name(self.index, self.title)


@dataclass(frozen=True, slots=True)
class ProjectPrompts:
    """The approved list of stories of a project, with the prompts that are wanted."""

    project_id: ProjectId
    name: str
    story_generation_id: StageId | None
    """None where no list is approved; there are no stories then."""
    attempt: int
    stories: Sequence[BundledStory]


@dataclass(frozen=True, slots=True)
class Bundle:
    """An archive, whole."""

    name: str
    data: bytes
    digest: str
    """Its SHA-256, in hexadecimal digits."""
    prompts: int
    """How many are in it."""


def in_file(content: str) -> bytes:
    """A prompt as it is in its file: with an end of its last line."""
    return (content if content.endswith("\n") else f"{content}\n").encode()


def file_name(story_index: int, title: str) -> str:
    """The name of the file of a story's prompt, in letters that every system takes; numbers make names unique."""
    return f"{story_index + 1:02d}-{slug(title, at_most=LONGEST_SLUG) or 'story'}.md"


def bundled(prompts: ProjectPrompts, included: Included) -> Bundle:
    """The prompts in one archive, with a manifest: the same bytes for the same prompts, whoever packs them, and when.

    NotPossibleNow, which says what is missing.
    """
    count = sum(story.prompt is not None for story in prompts.stories)
    if not count:
        raise _nothing(prompts, included)
    archive = io.BytesIO()
    with ZipFile(archive, "w", ZIP_STORED) as file:
        for name, content in _files(prompts):
            file.writestr(_entry(name), content)
    stem = slug(prompts.name, at_most=LONGEST_SLUG)
    data = archive.getvalue()
    return Bundle(f"{stem}-prompts.zip" if stem else "prompts.zip", data, sha256(data).hexdigest(), count)


def _files(prompts: ProjectPrompts) -> Iterator[tuple[str, bytes]]:
    """Each file of the archive with its name, in their order."""
    yield MANIFEST, orjson.dumps(_manifest(prompts), option=_READABLE_JSON)
    for story in prompts.stories:
        if story.prompt is not None:
            yield story.file_name, story.prompt.file


def _entry(name: str) -> ZipInfo:
    """All that an archive says of a file, which is nothing of this machine or this moment.

    Stored as it is: what deflate makes of it differs between versions of zlib.
    """
    entry = ZipInfo(name, _EARLIEST)
    entry.compress_type = ZIP_STORED
    entry.create_system = _UNIX
    entry.external_attr = _READABLE_FILE << 16
    return entry


def _manifest(prompts: ProjectPrompts) -> dict[str, object]:
    return {
        "version": VERSION,
        "project": {"id": global_id(Project.node_type, prompts.project_id), "name": prompts.name},
        "storyGeneration": {
            "id": global_id(NODE_TYPES[Stage.STORY_GENERATION], str(prompts.story_generation_id)),
            "attempt": prompts.attempt,
        },
        "stories": [_told(story) for story in prompts.stories],
    }


def _told(story: BundledStory) -> dict[str, object]:
    prompt = story.prompt
    return {
        "index": story.index,
        "title": story.title,
        "priority": story.priority.upper(),
        "estimate": story.estimate,
        "status": story.status and story.status.upper(),
        "promptGenerationId": prompt and global_id(NODE_TYPES[Stage.PROMPT_GENERATION], prompt.id),
        "attempt": prompt and prompt.attempt,
        "file": prompt and story.file_name,
        "sha256": prompt and sha256(prompt.file).hexdigest(),
        "model": prompt and prompt.model,
        "decidedBy": prompt and prompt.decided_by,
        "decidedAt": prompt and prompt.decided_at and prompt.decided_at.isoformat(),
    }


def _nothing(prompts: ProjectPrompts, included: Included) -> NotPossibleNow:
    if prompts.story_generation_id is None:
        return NotPossibleNow(
            "the project has no approved list of stories", "projectId",
            "have its stages generated and approved, up to the prompts",
        )  # fmt: skip
    also = " and none that awaits review" if included is Included.AWAITING_REVIEW else ""
    return NotPossibleNow(
        f"no story of the approved list, of {len(prompts.stories)}, has an approved prompt{also}",
        "projectId",
        "have prompts generated" if also else "approve prompts, or include those that await review: awaiting_review",
    )
