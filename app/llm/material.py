"""What a conversation holds to be quoted, in the order of its text: passages, with the headings that they are under.

Markdown is understood as far as documents of people have it: headings, lists, quotes, tables and bold first words.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import Any

from app.core.text import storable
from app.llm.extraction import CHARACTERS_READ, MOST_CONTEXT_ITEMS, OPENING, SENTENCE, words_of
from app.llm.port import ConversationPart, Speaker

LONGEST_LEAD = 80
"""Characters of a line with a colon at its end that is taken for the heading of the list below it."""

LONGEST_SENTENCE = 2_000
"""Characters, from which on every full stop ends it."""

MOST_PASSAGES = 5_000
"""Of a conversation: the example of this project has sixty."""

_HEADING = re.compile(r"#{1,6}[ \t]+(\S.*)")
_ITEM = re.compile(r"([ \t]*)(?:[-*+•–]|\d{1,4}[.)]|\([a-z0-9]{1,3}\))[ \t]+(\S.*)")
_RULE = re.compile(r"[-=_*|: \t+]{3,}")
_ONLY_BOLD = re.compile(r"(?:\*\*|__)([^*_]+)(?:\*\*|__):?")
_NUMBERED = re.compile(r"(?:\d{1,3}[.)]|\d{1,3}(?:\.\d{1,3}){1,4}\.?)[ \t]+(?=\S)")
_QUOTED = re.compile(r'"(.+)" \([^"]+\)')
"""How an answer in sections shows what it quotes: of that, the quote is quoted, and not its frame."""

_ABBREVIATED = re.compile(r"(?:\b(?:e\.g|i\.e|approx|incl|vs|cf|ca|bzw|z\.B|d\.h|u\.a)|\b\w)\.$", re.IGNORECASE)


NOTHING_SPEAKS_OF_IT = "Nothing in what was given speaks of this."
"""What stands under a heading for which there is no quote."""

ORIGIN = "Source: "
"""How a line begins that says where a text of a document is from."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence of a paragraph, or an item of a list with what is listed below it."""

    text: str
    source: str
    headings: tuple[str, ...] = ()
    """Outermost first; the line that introduces a list is the last of them."""
    details: tuple[str, ...] = ()
    listed: bool = False
    quoted: bool = False
    """Whether it comes from an answer of ours, which had it from elsewhere."""

    @property
    def is_feedback(self) -> bool:
        """Whether it is what somebody wants to be different: it is followed before all else."""
        return "feedback" in self.source.casefold()

    @property
    def heading(self) -> str:
        """The one that it is right under; empty where there is none."""
        return self.headings[-1] if self.headings else ""


@dataclass(slots=True)
class _Open:
    """What the lines that come next belong to."""

    source: str
    headings: list[tuple[int, str]] = field(default_factory=list)
    lead: str = ""
    paragraph: list[str] = field(default_factory=list)
    item: list[str] = field(default_factory=list)
    details: list[list[str]] = field(default_factory=list)
    indent: int = 0
    gap: bool = False
    """Whether a blank line has come since the item."""
    fenced: bool = False

    @property
    def path(self) -> tuple[str, ...]:
        return (*(text for _, text in self.headings), *([self.lead] if self.lead else []))


def given_in(conversation: Sequence[ConversationPart]) -> list[Passage]:
    """What the context of a conversation says, in its order; of more than is read, what the latest turns have."""
    return list(_read(conversation, said=()))


def given_or_said_in(conversation: Sequence[ConversationPart]) -> list[Passage]:
    """The same, with what was said before the last turn; what the model itself had quoted is nothing new."""
    before = [place for place, part in enumerate(conversation[:-1]) if not part.text.startswith(OPENING)]
    return list(_read(conversation, before))


def said_by_users_in(conversation: Sequence[ConversationPart]) -> list[Passage]:
    """What users said, also in the last turn: for where nothing was given."""
    users = [place for place, part in enumerate(conversation) if part.speaker is Speaker.USER]
    return list(_read(conversation, users))


def once(passages: Iterable[Passage]) -> list[Passage]:
    """Each thing once, where it is said first, with what is listed below it anywhere; nothing of a list by itself."""
    kept: dict[str, Passage] = {}
    below: set[str] = set()
    for passage in passages:
        said = key_of(passage.text)
        if said and said not in below:
            known = kept.setdefault(said, passage)
            if passage.details and not known.details:
                kept[said] = replace(known, details=passage.details)
        below.update(map(key_of, passage.details))
    return [passage for said, passage in kept.items() if said not in below]


def stems_of(text: str) -> frozenset[str]:
    """The words of a text without what tells one from many."""
    return frozenset(word[:-1] if len(word) > 3 and word[-1] == "s" != word[-2] else word for word in words_of(text))


def passages_of(text: str, source: str) -> Iterator[Passage]:
    """What a text says, in its order."""
    at = _Open(source)
    for line in text.splitlines():
        yield from _next(at, line.rstrip())
    yield from _closed(at)


def sentences_of(text: str) -> Iterator[str]:
    """The sentences of a paragraph. A full stop before a small letter, or behind an abbreviation, ends none."""
    held = ""
    for found in SENTENCE.finditer(" ".join(text.split())):
        piece = found[0].strip()
        ended = not piece[:1].islower() and not _ABBREVIATED.search(held[-12:])
        if held and (ended or len(held) > LONGEST_SENTENCE):
            yield held
            held = ""
        held = f"{held} {piece}" if held else piece
    if held:
        yield held


def _next(at: _Open, line: str) -> Iterator[Passage]:
    bare = line.lstrip(" \t>") if line.lstrip().startswith(">") else line
    if bare.lstrip().startswith("```"):
        yield from _closed(at)
        at.fenced = not at.fenced
    elif at.fenced:
        return
    elif not bare.strip() or _RULE.fullmatch(bare.strip()):
        if at.paragraph:
            yield from _told(at)
        at.gap = True
    elif heading := _heading_of(bare.strip()):
        yield from _closed(at)
        level, text = heading
        at.headings = [above for above in at.headings if above[0] < level] + [(level, text)]
        at.lead = ""
    elif item := _ITEM.fullmatch(bare):
        yield from _listed(at, _width(item[1]), item[2])
    elif at.item and not at.paragraph and (not at.gap or bare[0] in " \t"):
        (at.details[-1] if at.details else at.item).append(bare.strip())
    else:
        at.paragraph.append(_cells(bare.strip()))


def _listed(at: _Open, indent: int, text: str) -> Iterator[Passage]:
    if at.paragraph:
        yield from _told(at, before_list=True)
    at.gap = False
    if at.item and indent > at.indent:
        at.details.append([text])
        return
    yield from _item(at)
    at.item, at.indent = [text], indent


def _told(at: _Open, *, before_list: bool = False) -> Iterator[Passage]:
    """The sentences of a paragraph; the last line before a list may be the list's heading."""
    yield from _item(at)
    lines, at.paragraph = at.paragraph, []
    at.lead = ""
    if len(lines) == 1 and lines[0].endswith(":") and len(lines[0]) <= LONGEST_LEAD:
        at.lead = _plain(lines[0])[:-1].rstrip()
        return
    for sentence in sentences_of(" ".join(lines)):
        if sentence not in _FRAME and not sentence.startswith(ORIGIN):
            yield Passage(_plain(sentence), at.source, at.path)
    if before_list and lines[-1].endswith(":") and len(lines[-1]) <= LONGEST_LEAD:
        at.lead = _plain(lines[-1])[:-1].rstrip()


def _item(at: _Open) -> Iterator[Passage]:
    if at.item:
        text, details = " ".join(at.item), tuple(_plain(" ".join(lines)) for lines in at.details)
        quoted = _QUOTED.fullmatch(text) is not None
        yield Passage(_plain(text), at.source, at.path, details, listed=True, quoted=quoted)
    at.item, at.details, at.indent = [], [], 0


def _closed(at: _Open) -> Iterator[Passage]:
    """Whatever was open."""
    yield from _item(at)
    if at.paragraph:
        yield from _told(at)


def _heading_of(line: str) -> tuple[int, str] | None:
    marked = _HEADING.fullmatch(line)
    if marked:
        text = _plain(marked[1].rstrip("# \t:"))
        return len(line) - len(line.lstrip("#")), _NUMBERED.sub("", text, count=1)
    bold = _ONLY_BOLD.fullmatch(line)
    # Below all headings of the other kind: it is how lists are told from each other.
    return (7, bold[1].strip().rstrip(":")) if bold else None


def _cells(line: str) -> str:
    """A row of a table as a line of text."""
    if not (line.startswith("|") and line.endswith("|")):
        return line
    return "; ".join(cell for cell in (cell.strip() for cell in line.strip("|").split("|")) if cell)


def _plain(text: str) -> str:
    """A text without the marks of emphasis, and without the frame that an answer of ours gives a quote."""
    bare = text.replace("**", "").replace("__", "").strip()
    quoted = _QUOTED.fullmatch(bare)
    return quoted[1] if quoted else bare


def _width(indent: str) -> int:
    return len(indent.expandtabs(4))


def key_of(text: str) -> str:
    """What is the same for texts that say the same."""
    return " ".join(text.casefold().split()).rstrip(".")


def _read(conversation: Sequence[ConversationPart], said: Collection[int]) -> Iterator[Passage]:
    """What parts were given, and what some of them say, by their places; in order, the latest parts before all else."""
    left, of_parts = CHARACTERS_READ, list[list[tuple[str, str]]]()
    for place in range(len(conversation) - 1, -1, -1):
        part, texts = conversation[place], list[tuple[str, str]]()
        for text, source in [*_given(part), *([(part.text, f"said by the {part.speaker}")] if place in said else [])]:
            texts.append((storable(text[:left]), source))
            left -= len(text[:left])
        of_parts.append(texts)
        if left <= 0:
            break
    in_order = chain.from_iterable(reversed(of_parts))
    yield from islice(chain.from_iterable(passages_of(*found) for found in in_order), MOST_PASSAGES)


def _given(part: ConversationPart) -> Iterator[tuple[str, str]]:
    """The texts of a part's context with their sources; those that come in several items as the one that they were."""
    left, open_source, pieces = MOST_CONTEXT_ITEMS, "", list[str]()
    for kind, items in part.context.items():
        for item in items[:left]:
            source, text = item.get("source"), item.get("text")
            if not (isinstance(source, str) and isinstance(text, str)):
                source, text = kind, "\n\n".join(_texts(item))
            number = item.get("part")
            if pieces and not (source == open_source and isinstance(number, int) and number > 1):
                yield "".join(pieces), open_source
                pieces = []
            open_source = source
            pieces.append(text)
        left -= len(items)
        if left <= 0:
            break
    if pieces:
        yield "".join(pieces), open_source


def _texts(value: Any) -> Iterator[str]:
    # Depth is bounded where items are taken in.
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


_FRAME = frozenset([*sentences_of(OPENING), NOTHING_SPEAKS_OF_IT])
"""What our own answers say besides what they quote."""
