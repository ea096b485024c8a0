"""Tells what a user's message is about, by the keywords of a catalogue (its format: `intent_catalogue.py`).

Score. A message is read from left to right; where keywords begin with the same word, the longest that fits is taken and
its words are used up, so that "change my password" does not also speak for "change". The words of a phrase stand in one
sentence, at most three other characters apart. Every keyword counts once, however often it is written. An intent's
score is the sum of its keywords' weights; the message's first keyword of weight 1 or more counts a quarter more, for
people begin with what they want. Weights below 1 are for words that give way to any other, as a greeting does.

Answer. The best intent, if its score is at least `MIN_SCORE` and at least `MIN_LEAD` above the second: else None, never
a guess.

Confidence. `score / (score + 1/2) * lead / (lead + 1/4)`, where lead is the score minus the second's: it grows with
either and never reaches 1. A plain keyword alone gives 0.595 (its score is 1.25), two give 0.736, a tie would give 0.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from app.messages.intent_catalogue import BUILT_IN, CatalogueIntent, read_catalogue
from app.messages.stems import Stems, split_words
from app.messages.values import Intent

MAX_CHARACTERS = 4_000
"""Only the beginning of a message is looked at: what follows is mostly pasted, and a megabyte must not cost more."""

MIN_SCORE = 0.5
"""A single keyword of weight 0.5 is enough where nothing else is said ("Hello!"); weaker ones must come together."""

MIN_LEAD = 0.1
"""Two intents nearer than this are a tie. Above rounding, below every difference a catalogue makes on purpose."""

FIRST_KEYWORD_FACTOR = 1.25
FIRST_KEYWORD_WEIGHT = 1.0
"""Weaker keywords are not what a message begins with: in "Hi, please translate ..." that is "translate"."""

MAX_GAP_CHARACTERS = 3
"""Between two words of a phrase: "sign-in", "yes, please", "thank you - bye"; a line break with its return."""

MAX_PASSED_OVER = 2
"""Words in a row within a phrase, as in "cancel any of the bookings": what is reported as a keyword stays short."""

_SENTENCE_ENDS = frozenset(".!?;:")


_Weights = tuple[tuple[str, float], ...]
"""The intents a keyword speaks for, and how loud."""


@dataclass(slots=True)
class _Node:
    """Where some phrases of the catalogue have come to after the same words: one walk finds the longest that fits."""

    next: dict[str, "_Node"] = field(default_factory=dict)
    weights: _Weights = ()
    """Empty where no phrase ends."""


_NOWHERE = _Node()


@dataclass(frozen=True, slots=True)
class _Found:
    weights: _Weights
    first: int
    last: int


class IntentDetector:
    """One per process, shared by all tasks of the event loop: it keeps nothing of a message but the stems of its words.

    PyStemmer's stemmers are not safe for several threads, so neither is this: it belongs to the event loop's thread.
    """

    def __init__(self, intents: tuple[CatalogueIntent, ...], stems: Stems) -> None:
        self._stems = stems
        self._phrases = _phrases(intents)

    @classmethod
    def from_catalogue(cls, path: Path | None = None) -> Self:
        """A detector for the catalogue at `path`, or for the built-in one. Raises `IntentCatalogueError`."""
        stems = Stems()
        return cls(read_catalogue(path or BUILT_IN, stems), stems)

    def detect(self, content: str) -> Intent | None:
        """What `content` is about, or None where its words do not say.

        The built-in catalogue is English; a word that other languages share with it is still found in them.
        Linear in the length up to `MAX_CHARACTERS`: 130 µs for 500 characters full of keywords, 1.2 ms for 4,000 and
        for a million. A word not met before takes 7 µs more: 4,000 characters of nothing else take 8 to 15 ms, once.
        """
        parts = _beginning(content)
        found = self._find(parts)
        scores = _scores(found)
        if not scores:
            return None
        (name, score), *others = sorted(scores.items(), key=lambda named: named[1], reverse=True)
        # Rounded, for 0.6 - 0.5 is less than 0.1 to a computer.
        lead = round(score - (others[0][1] if others else 0.0), 6)
        if score < MIN_SCORE or lead < MIN_LEAD:
            return None
        keywords = (_as_written(parts, one) for one in found if any(name == intent for intent, _ in one.weights))
        return Intent(name, confidence(score, lead), tuple(keywords))

    def _find(self, parts: list[str]) -> list[_Found]:
        """The phrases in a split text, from left to right, each where it is written first."""
        stem_of, starts = self._stems.of, self._phrases.next
        stems = [stem_of(word) for word in parts[1::2]]
        found: dict[int, _Found] = {}
        free = 0
        for first in [index for index, stem in enumerate(stems) if stem in starts]:
            if first < free:
                continue
            node, last = _longest_phrase(starts[stems[first]], stems, parts, first)
            if node.weights:
                found.setdefault(id(node), _Found(node.weights, first, last))
                free = last + 1
        return list(found.values())


def confidence(score: float, lead: float) -> float:
    """Between 0 and 1, with three digits; the formula is in the module's own words above."""
    return round(score / (score + 0.5) * lead / (lead + 0.25), 3)


def _phrases(intents: tuple[CatalogueIntent, ...]) -> _Node:
    root = _Node()
    for intent in intents:
        for keyword in intent.keywords:
            node = root
            for stem in keyword.stems:
                node = node.next.setdefault(stem, _Node())
            node.weights += ((intent.name, keyword.weight),)
    return root


def _beginning(content: str) -> list[str]:
    """The part that is looked at, in lower case, as gap, word, gap, ... gap."""
    parts = split_words(content[:MAX_CHARACTERS].lower())
    if len(content) > MAX_CHARACTERS and parts[-1] == "" and len(parts) > 1:
        # The cut may have gone through the last word, and half of "cancellation" is "cancel".
        del parts[-2:]
    return parts


def _longest_phrase(node: _Node, stems: list[str], parts: list[str], first: int) -> tuple[_Node, int]:
    """Where the longest phrase ends that begins at word `first`, and its last word; `node` itself if there is none."""
    longest, last, step = node, first, first
    for at in range(first + 1, len(stems)):
        stem = stems[at]
        if stem:
            node, step = node.next.get(stem, _NOWHERE), at
        if node is _NOWHERE or at - step > MAX_PASSED_OVER or _interrupts(parts[2 * at]):
            break
        if stem and node.weights:
            longest, last = node, at
    return longest, last


def _interrupts(gap: str) -> bool:
    # A mark alone is inside a word rather than at the end of a sentence: "TL;DR", "node.js".
    return len(gap) > MAX_GAP_CHARACTERS or (len(gap) > 1 and not _SENTENCE_ENDS.isdisjoint(gap))


def _scores(found: list[_Found]) -> dict[str, float]:
    scores: defaultdict[str, float] = defaultdict(float)
    is_first = True
    for one in found:
        for name, weight in one.weights:
            leads = is_first and weight >= FIRST_KEYWORD_WEIGHT
            scores[name] += weight * FIRST_KEYWORD_FACTOR if leads else weight
        is_first = is_first and all(weight < FIRST_KEYWORD_WEIGHT for _, weight in one.weights)
    return scores


def _as_written(parts: list[str], one: _Found) -> str:
    """The words of a phrase with what stands between them, white space as single spaces."""
    return " ".join("".join(parts[2 * one.first + 1 : 2 * one.last + 2]).split())
