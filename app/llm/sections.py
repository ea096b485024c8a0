"""Answers in the sections that the last turn asks for: under each heading the sentences that speak of it."""

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from app.llm.extraction import CHARACTERS_READ, OPENING, shortened
from app.llm.material import NOTHING_SPEAKS_OF_IT, Passage, given_or_said_in, key_of, stems_of
from app.llm.port import ConversationPart, Speaker

MOST_QUOTES = 12
"""Under one heading."""
MOST_HEADINGS = 20

LONGEST_QUOTE = 600
"""Characters."""

FEWEST_WORDS = 4
"""Of a sentence that is quoted: shorter ones say nothing by themselves. Items of lists may be shorter."""

_KIN: Mapping[str, str] = {
    "acceptance": "accepted criterion criteria done tested",
    "architecture": "technology interface server database api integration component rest python java typescript stack",
    "constraint": "budget law legal deadline existing euro cost limit gdpr tax union",
    "context": "background description user goal overview about purpose",
    "functional": "feature able intake allow",
    "goal": "aim objective purpose target success",
    "milestone": (
        "rollout roadmap schedule phase release pilot timeline follow begin january february march april june july "
        "august september october november december"
    ),
    "question": "unclear undecided decide unknown open whether tbd",
    "requirement": "must should may shall need can",
    "risk": "slow slowly poorly fail failure lost depend unless delay danger threat",
    "stakeholder": "customer staff manager office client role people persona audience",
    "summary": "background overview introduction purpose about problem goal scope product",
    "task": "story want build implement so title",
}
"""By a word of a heading: words that texts use where they speak of such things without naming them."""

_STOP = frozenset(
    {
        "one", "two", "few", "some", "all", "each", "any", "other", "more", "most", "less", "than", "its", "own",
        "only", "before", "after", "while", "been", "being", "also", "such", "without", "over", "out", "back", "down",
        "them", "then", "there", "nothing", "everybody",
    }
)  # fmt: skip
"""Words of the line below a heading that say nothing of what belongs there, beside those that never do."""

_OF_HEADING, _OF_LINE, _OF_KIN = 1.0, 0.5, 0.4
"""What a word in common counts, the more the rarer it is: one of the heading, of the line below it, or akin to it."""

_UNDER_IT, _UNDER_KIN, _OF_SOURCE = 3.0, 1.5, 1.0
"""What it counts where a sentence stands under such a heading itself, under one that is akin, or is of a source that
is."""

_WEAKEST = 0.35
"""Of what the best sentence under a heading counts: what counts less is left out."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A section that is asked for: its line as it was written, and the words of what belongs there."""

    line: str
    name: frozenset[str]
    described: frozenset[str]
    kin: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Words:
    """Those of a passage, of each heading that it is under, and of its source's name."""

    said: frozenset[str]
    headings: tuple[frozenset[str], ...]
    source: frozenset[str]


def asked_in(conversation: Sequence[ConversationPart]) -> list[Asked]:
    """The sections that the last turn asks for: its lines that begin with `## `. None where a user did not say it."""
    last = conversation[-1] if conversation else None
    if last is None or last.speaker is not Speaker.USER or "## " not in last.text:
        return []
    lines = last.text[:CHARACTERS_READ].splitlines()
    places = [place for place, line in enumerate(lines) if line.startswith("## ") and line[3:].strip()]
    return [_asked(lines, place) for place in places[:MOST_HEADINGS]]


def answer_in_sections(conversation: Sequence[ConversationPart], asked: Sequence[Asked]) -> str:
    """The headings in their order, with what of the context and of earlier turns speaks of each, as quotes."""
    told = [found for found in _alone(given_or_said_in(conversation)) if _says_something(found)]
    passages = _once_under(told, {section.name for section in asked})
    quoted = _shared_out(passages, asked)
    written = [OPENING]
    for place, section in enumerate(asked):
        quotes = "\n".join(_quote(passages[number]) for number in quoted[place])
        written.append(f"{section.line}\n\n{quotes or NOTHING_SPEAKS_OF_IT}")
    return "\n\n".join(written)


def _asked(lines: Sequence[str], place: int) -> Asked:
    below: list[str] = []
    for line in lines[place + 1 :]:
        if line.startswith("#") or (below and not line.strip()):
            break
        below += [line] if line.strip() else []
    name = stems_of(lines[place])
    described = stems_of(" ".join(below)) - name - _STOP
    kin = frozenset[str]().union(*(stems_of(_KIN[word]) for word in name if word in _KIN)) - name - described
    return Asked(lines[place].rstrip(), name, described, kin)


def _alone(passages: Sequence[Passage]) -> Iterator[Passage]:
    """Items of lists with what is listed below them as passages of their own, under the same headings."""
    for found in passages:
        yield Passage(found.text, found.source, found.headings, (), found.listed)
        for detail in found.details:
            yield Passage(detail, found.source, found.headings, (), listed=True)


def _says_something(passage: Passage) -> bool:
    return passage.listed or len(passage.text.split()) >= FEWEST_WORDS


def _once_under(passages: Sequence[Passage], names: Collection[frozenset[str]]) -> list[Passage]:
    """Each thing once: where it stands under a heading that is asked for, or else where it is said first.

    What a source says twice itself, once under such a heading, is said twice.
    """
    stems = cache(stems_of)
    exact = [stems(found.heading) in names for found in passages]
    source_of: dict[str, str] = {}
    for found, is_exact in zip(passages, exact, strict=True):
        if is_exact:
            source_of.setdefault(key_of(found.text), found.source)
    kept: dict[tuple[str, bool], Passage] = {}
    for found, is_exact in zip(passages, exact, strict=True):
        said = key_of(found.text)
        if said and (is_exact or source_of.get(said, found.source) == found.source):
            kept.setdefault((said, is_exact), found)
    return list(kept.values())


def _shared_out(passages: Sequence[Passage], asked: Sequence[Asked]) -> list[list[int]]:
    """Which passages stand under each heading: each under the one that it says the most of, or under none.

    Of more than MOST_QUOTES those that say the most of it. What somebody wants to be different stands under the last
    heading, where no other speaks of it: it must not be lost.
    """
    stems = cache(stems_of)
    words = [
        _Words(stems_of(found.text) | _marks(found), tuple(map(stems, found.headings)), stems(found.source))
        for found in passages
    ]
    often = Counter(word for found in words for word in found.said)
    focus = _focus(passages, words)
    ranked: list[list[tuple[float, int]]] = [[] for _ in asked]
    for number, passage in enumerate(passages):
        scores = [_score(section, words[number], often) for section in asked]
        best = max(range(len(asked)), key=lambda place: (scores[place], -place))
        if passage.is_feedback:
            ranked[best if scores[best] else -1].append((math.inf, number))
        elif scores[best]:
            near = len(words[number].said & focus) / (1 + len(words[number].said))
            ranked[best].append((scores[best] + near, number))
    return [_strongest(found) for found in ranked]


def _strongest(ranked: Sequence[tuple[float, int]]) -> list[int]:
    """Of numbers with what they count those that count the most, in their order."""
    best = max((score for score, _ in ranked if score < math.inf), default=0.0)
    first = sorted((found for found in ranked if found[0] >= _WEAKEST * best), key=lambda found: (-found[0], found[1]))
    return sorted(number for _, number in first[:MOST_QUOTES])


def _focus(passages: Sequence[Passage], words: Sequence[_Words]) -> frozenset[str]:
    """The words of the first source: of several, it is the one that matters."""
    first = [words[number].said for number, found in enumerate(passages) if found.source == passages[0].source]
    return frozenset[str]().union(*first)


def _score(asked: Asked, found: _Words, often: Counter[str]) -> float:
    def worth(words: frozenset[str]) -> float:
        # Summed in the order of the words: a set's own differs between processes, and a sum of fractions with it.
        return sum(1 / often[word] for word in sorted(words))

    under = max((len(name & asked.name) / len(name | asked.name) for name in found.headings if name), default=0.0)
    return (
        _OF_HEADING * worth(found.said & asked.name)
        + _OF_LINE * worth(found.said & asked.described)
        + _OF_KIN * worth(found.said & asked.kin)
        + _UNDER_IT * under
        + _UNDER_KIN * any(name & asked.kin for name in found.headings[-2:])
        + _OF_SOURCE * bool(found.source & asked.kin)
    )


def _marks(passage: Passage) -> frozenset[str]:
    return frozenset({"question"}) if passage.text.endswith("?") else frozenset()


def _quote(passage: Passage) -> str:
    text = shortened(" ".join(passage.text.split()), LONGEST_QUOTE)
    return f'- "{text}" ({passage.source})'
