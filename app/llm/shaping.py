"""A JSON document that fits a schema, made of what a conversation was given: each part of it is quoted, or counted.

A list of objects has one for each requirement of the text. Schemas are understood as far as models are asked for
documents by them; patterns and formats are not.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from app.llm.material import ORIGIN, Passage, given_in, once, said_by_users_in, sentences_of, stems_of
from app.llm.port import ConversationPart

NOTHING_GIVEN = "Nothing was given to make this of."

MOST_OBJECTS = 20
MOST_TEXTS = 8
LONGEST_TITLE = 80
LONGEST_TEXT = 2_000
"""Characters, where the schema does not say."""

_FEWEST_REQUIREMENTS = 3
"""Where fewer are worded as such, whatever stands in a list is taken for one."""
_MOST_RELATED = 3
_LONGEST_SECTION = 50
"""Passages that are looked at for what is related."""
_DEEPEST = 12

_BINDING = (
    (3, re.compile(r"\b(?:must|shall|(?:has|have|needs?) to|required?|essential|critical|urgent|muss|müssen)\b", re.I)),
    (2, re.compile(r"\b(?:should|ought|soll(?:en|ten?)?)\b", re.I)),
    (1, re.compile(r"\b(?:can|may|could|might|optional(?:ly)?|nice to have|kann|können|könnten?|darf)\b", re.I)),
)
_NO_WORK = frozenset({"question", "risk", "assumption", "constraint", "scope", "glossary", "background", "user"})
"""Words of headings under which requirements are not looked for first."""

_TITLES = frozenset({"title", "name", "summary", "headline", "subject", "label", "heading"})
_LONG_TEXTS = frozenset({"description", "details", "detail", "text", "body", "content", "rationale", "notes", "note"})

_RANKS = {
    "lowest": 1, "trivial": 1, "wont": 1, "low": 2, "minor": 2, "could": 2, "optional": 2, "small": 2,
    "medium": 3, "normal": 3, "moderate": 3, "should": 3, "mid": 3, "high": 4, "major": 4, "must": 4, "large": 4,
    "highest": 5, "critical": 5, "urgent": 5, "blocker": 5,
}  # fmt: skip
"""How much the words of an enumeration say, where it is one of this kind."""

_EFFORTS = ((60, 1), (100, 2), (180, 3), (300, 5), (450, 8))
"""Characters of what is to be done, and how much work that is: longer things are more."""
_MOST_EFFORT = 13


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a part of the document is about."""

    text: str
    origin: str = ""
    parts: tuple["_Subject", ...] = ()
    binding: int = 0
    """3 for what must be, 2 for what should be, 1 for what may be; 0 where it is not said."""

    @property
    def length(self) -> int:
        return len(self.text) + sum(len(part.text) for part in self.parts)


def document_of(conversation: Sequence[ConversationPart], schema: Mapping[str, Any]) -> str:
    """The document as JSON; the same for the same conversation, always."""
    passages = given_in(conversation) or said_by_users_in(conversation)
    chosen = _requirements(passages)
    subjects = tuple(_subject(passage, passages) for passage in chosen)
    first = passages[0] if passages else Passage(NOTHING_GIVEN, "")
    whole = _Subject(first.heading or first.text, _origin(first), subjects or (_Subject(first.text),))
    return _written(_Filling(schema).fill(schema, "", whole))


def binding_of(text: str) -> int:
    """How binding a text is: 3 for what must be, 2 for what should be, 1 for what may be, 0 for what is not said."""
    return next((binding for binding, words in _BINDING if words.search(text)), 0)


def _requirements(passages: Sequence[Passage]) -> list[Passage]:
    """What the text wants to be done, in its order; of more than MOST_OBJECTS, what binds the most."""
    # What an answer of ours had quoted is taken from where it stands itself, if that was given too.
    given = sorted(passages, key=lambda found: found.quoted)
    work = once(found for found in given if not _aside(found))
    chosen = [found for found in work if _binding(found)]
    if len(chosen) < _FEWEST_REQUIREMENTS:
        chosen = [found for found in work if found.listed or _binding(found)] or work or once(passages)
    most = sorted(range(len(chosen)), key=lambda place: (-_binding(chosen[place]), place))[:MOST_OBJECTS]
    return [chosen[place] for place in sorted(most)]


def _aside(passage: Passage) -> bool:
    stems = stems_of(" ".join(passage.headings[-2:]))
    return passage.text.endswith(("?", "…")) or bool(stems & _NO_WORK and "requirement" not in stems)


def _binding(passage: Passage) -> int:
    # What a reviewer asks for is done, however it is worded.
    found = binding_of(passage.text) or binding_of(passage.heading)
    return max(found, 4) if passage.is_feedback else found


def _subject(passage: Passage, passages: Sequence[Passage]) -> _Subject:
    sentences = list(sentences_of(passage.text))
    below = passage.details or tuple(sentences[1:]) or tuple(_related(passage, passages))
    parts = tuple(_Subject(text, binding=binding_of(text)) for text in below)
    return _Subject(passage.text, _origin(passage), parts, min(_binding(passage), 3))


def _related(passage: Passage, passages: Sequence[Passage]) -> list[str]:
    """What the same section says with two words or more in common, and is no requirement itself."""
    place = passage.source, passage.headings
    section = (found for found in passages if (found.source, found.headings) == place)
    words = stems_of(passage.text)
    near = (
        found.text
        for found in islice(section, _LONGEST_SECTION)
        if found.text != passage.text and not _binding(found) and len(words & stems_of(found.text)) > 1
    )
    return list(islice(near, _MOST_RELATED))


def _origin(passage: Passage) -> str:
    # Not the document's title, which stands above all.
    near = passage.headings[1:][-2:] or passage.headings
    return ", ".join(place for place in (passage.source, " › ".join(near)) if place)


@dataclass(frozen=True, slots=True)
class _Filling:
    root: Mapping[str, Any]

    def fill(self, schema: Any, name: str, subject: _Subject, depth: int = 0) -> Any:
        """A value that fits the schema of a property of this name."""
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return _chosen(schema["enum"], subject)
        match _kind(schema):
            case "object":
                return self._object(schema, subject, depth)
            case "array":
                return self._array(schema, name, subject, depth)
            case "string":
                return _text(schema, name, subject)
            case "integer":
                return int(_number(schema, subject))
            case "number":
                return _number(schema, subject)
            case "boolean":
                return subject.binding > 2
            case _:
                return None

    def _resolved(self, schema: Any) -> Mapping[str, Any]:
        """A schema with what it refers to; of alternatives the first that is not null."""
        found: dict[str, Any] = dict(schema) if isinstance(schema, Mapping) else {}
        for _ in range(_DEEPEST):
            chosen = next((found.pop(word) for word in ("anyOf", "oneOf") if found.get(word)), None)
            if chosen is not None:
                options = [option for option in chosen if isinstance(option, Mapping)]
                found |= next((option for option in options if option.get("type") != "null"), {})
            elif "$ref" in found:
                found |= self._referred(str(found.pop("$ref")))
            elif "allOf" in found:
                for part in found.pop("allOf"):
                    found |= part
            else:
                break
        return found

    def _referred(self, reference: str) -> Mapping[str, Any]:
        at: Any = self.root
        for step in reference.removeprefix("#").strip("/").split("/"):
            at = at.get(step, {}) if isinstance(at, Mapping) and step else at
        return at if isinstance(at, Mapping) else {}

    def _object(self, schema: Mapping[str, Any], subject: _Subject, depth: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        required = schema.get("required", ())
        # Deep down only what must be: a schema that refers to itself has no end.
        names = dict.fromkeys([*(properties if depth < _DEEPEST else ()), *required]) if depth < 2 * _DEEPEST else ()
        return {name: self.fill(properties.get(name, {"type": "string"}), name, subject, depth + 1) for name in names}

    def _array(self, schema: Mapping[str, Any], name: str, subject: _Subject, depth: int) -> list[Any]:
        items = schema.get("items", {"type": "string"})
        fewest, usual = schema.get("minItems", 0), MOST_TEXTS
        if _kind(self._resolved(items)) == "object":
            usual = MOST_OBJECTS if depth < _DEEPEST // 2 else 0
        most = min(schema.get("maxItems", usual), max(usual, fewest))
        members = list(subject.parts or (subject,))[:most]
        # There is no more to say than there is.
        members += [members[place % len(members)] if members else subject for place in range(fewest - len(members))]
        filled = [self.fill(items, name, member, depth + 1) for member in members]
        return _distinct(filled) if schema.get("uniqueItems") else filled


def _kind(schema: Mapping[str, Any]) -> str:
    found = schema.get("type")
    if isinstance(found, list):
        found = next((kind for kind in found if kind != "null"), "null")
    if found is None:
        found = "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(found)


def _text(schema: Mapping[str, Any], name: str, subject: _Subject) -> str:
    words = set(re.findall("[a-z]+", re.sub("([A-Z])", r" \1", name).casefold()))
    at_least = schema.get("minLength", 0)
    if words & _TITLES:
        text = _titled(subject.text, schema.get("maxLength", LONGEST_TITLE))
    else:
        at_most = schema.get("maxLength", LONGEST_TEXT)
        text = shortened_to(subject.text, at_most)
        with_origin = f"{text}\n\n{ORIGIN}{subject.origin}."
        if words & _LONG_TEXTS and subject.origin and len(with_origin) <= at_most:
            text = with_origin
    while len(text) < at_least:
        text = f"{text} {text or '…'}"[: max(at_least, len(text))]
    return text


def _titled(text: str, at_most: int) -> str:
    """The first words of a text; what stands before its first colon, where that is short."""
    label, colon, _ = text.partition(":")
    if colon and 3 <= len(label) <= LONGEST_TITLE // 2 and not binding_of(label):
        return shortened_to(label, at_most)
    first = next(sentences_of(text), text)
    at_most = min(at_most, LONGEST_TITLE)
    if len(first) <= at_most:
        return first.rstrip(".!") or first
    clauses = (max(first.rfind(mark, 0, at_most) for mark in marks) for marks in ((": ", "; "), (", ",)))
    return next((first[:end] for end in clauses if end >= at_most // 2), "") or shortened_to(first, at_most)


def shortened_to(text: str, at_most: int) -> str:
    """A text of at most so many characters, cut between two words where that is possible."""
    if len(text) <= at_most:
        return text
    cut = text[: max(at_most - 1, 0)]
    space = cut.rfind(" ")
    whole = cut[:space] if space > at_most // 2 else cut
    return f"{whole.rstrip(' ,;:-–')}…"[:at_most]


def _chosen(options: Sequence[Any], subject: _Subject) -> Any:
    """What an enumeration has for how binding something is; else what it says itself; else the one in the middle."""
    middle = options[(len(options) - 1) // 2]
    ranked = [option for option in options if isinstance(option, str) and _rank(option)]
    if len(ranked) == len(options):
        ranked.sort(key=_rank)
        return {3: ranked[-1], 1: ranked[0]}.get(subject.binding, ranked[(len(ranked) - 1) // 2])
    said = stems_of(subject.text)
    return next((option for option in options if isinstance(option, str) and stems_of(option) & said), middle)


def _rank(option: str) -> int:
    words = re.findall("[a-z]+", option.casefold())
    return next((_RANKS[word] for word in words if word in _RANKS), 0)


def _number(schema: Mapping[str, Any], subject: _Subject) -> float:
    """How much work something is, as its text goes, within the bounds."""
    effort: float = next((points for limit, points in _EFFORTS if subject.length <= limit), _MOST_EFFORT)
    step = schema.get("multipleOf") or (1 if _kind(schema) == "integer" else None)
    low = _least(schema.get("minimum"), schema.get("exclusiveMinimum"), step)
    high = _least(_negative(schema.get("maximum")), _negative(schema.get("exclusiveMaximum")), step)
    found = effort if step is None else effort // step * step
    found = found if high is None else min(found, -high)
    return found if low is None else max(found, low)


def _least(at_least: float | None, above: float | None, step: float | None) -> float | None:
    """The lowest number within two bounds, which is a multiple of `step`; None where there are none.

    Without a step, what is excluded is passed by a little.
    """
    found = None if at_least is None else at_least if step is None else -(-at_least // step) * step
    if above is None:
        return found
    next_one = above + (abs(above) * 1e-9 or 1e-9) if step is None else (above // step + 1) * step
    return next_one if found is None else max(found, next_one)


def _negative(bound: float | None) -> float | None:
    return None if bound is None else -bound


def _distinct(values: list[Any]) -> list[Any]:
    kept: dict[str, Any] = {}
    for value in values:
        kept.setdefault(_written(value), value)
    return list(kept.values())


def _written(value: Any) -> str:
    # Not by orjson, which takes no integers beyond 64 bits: a schema may name one.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
