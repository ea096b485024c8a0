"""What can be looked for: queries and how they are read, words and how texts are cut into them."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.core.errors import ValidationError
from app.core.text import require_length, require_storable
from app.messages.values import MessageId, MessageRole
from app.sessions.values import SessionFilter, SessionId

LONGEST_QUERY = 500
"""Characters."""
MOST_TERMS = 16
"""Words and phrases of one query: each is a condition of the statement; a pasted text belongs into quotes."""
LONGEST_INDEXED = 50_000
"""Characters of a text that can be found: twenty pages. What follows is mostly pasted, and every search would pay."""
MOST_RANKED = 300
"""Of all that matches the newest so many are ranked: what is older is reached by more words, or by the time.

Each costs 10 to 30 microseconds for every word; and of a word that is everywhere so few are found by walking back from
the newest, however many texts a user has.
"""

SEPARATORS = (
    r"\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7"
    r"\u2000-\u206f\u2190-\u25ff\u2b00-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\u3030\u303d-\u303f\u30fb"
    r"\ufe00-\ufe4f\ufff0-\uffff"
)
"""What parts words, as a class of a regular expression that PostgreSQL and Python read alike; all else is in a word."""

SPACELESS = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2600-\u27bf\u2e80-\u9fff\ua000-\ua4cf\uac00-\ud7af\uf900-\ufaff"
    r"\U0001f000-\U0003ffff"
)
"""Scripts that are written without spaces (Chinese, Japanese, Korean, Thai, Khmer …), and pictographs."""

_WORDS = re.compile(f"[^{SEPARATORS}]+")
_TOKENS = re.compile(r'(-?)["“”„]([^"“”„]*)["“”„]?|(-?)([^\s"“”„]+)')
_OR = frozenset(("or", "OR", "Or", "|", "||"))


class MatchedIn(StrEnum):
    """Which text of a session it was found by."""

    TITLE = "title"
    DESCRIPTION = "description"
    TAGS = "tags"
    SUMMARY = "summary"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a phrase that is looked for."""

    text: str
    exact: bool
    """Whether only whole words count, as in quotes; else parts of words are found too."""

    @property
    def words(self) -> list[str]:
        """Its words as they are compared, but for their case."""
        return words_of(self.text)


@dataclass(frozen=True, slots=True)
class Alternative:
    """Terms that must all be in one text, and terms that must not."""

    wanted: tuple[Term, ...]
    unwanted: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What somebody looks for: one of the alternatives must hold."""

    alternatives: tuple[Alternative, ...]

    @classmethod
    def parse(cls, text: str) -> "SearchQuery":
        """Read words, "quoted phrases", -unwanted ones and `or` between alternatives. No text is a syntax error.

        ValidationError when it is too long, or names nothing to look for.
        """
        require_storable(text, "query")
        require_length(text, "query", at_most=LONGEST_QUERY)
        alternatives = [_alternative(tokens) for tokens in _sides(_TOKENS.findall(text))]
        found = cls(tuple(side for side in alternatives if side.wanted or side.unwanted))
        if not found.alternatives or not all(side.wanted for side in found.alternatives):
            raise ValidationError(
                "the query names nothing to look for", field="query", hint="write at least one word without a minus"
            )
        if sum(len(side.wanted) + len(side.unwanted) for side in found.alternatives) > MOST_TERMS:
            raise ValidationError(
                f"the query has more than {MOST_TERMS} words", field="query", hint='put a longer text in "quotes"'
            )
        return found

    @property
    def wanted(self) -> list[Term]:
        """All terms that are looked for, each once."""
        return list(dict.fromkeys(term for side in self.alternatives for term in side.wanted))

    @property
    def unwanted(self) -> list[Term]:
        """All terms that must not be there, in their order."""
        return [term for side in self.alternatives for term in side.unwanted]


@dataclass(frozen=True, slots=True)
class MessageSearch:
    """Which messages are looked for; every condition that is given must hold."""

    query: str
    session_id: SessionId | None = None
    user_id: str | None = None
    """Another user's, for an admin; else the actor's own."""
    role: MessageRole | None = None
    at_from: datetime | None = None
    at_to: datetime | None = None

    def given(self) -> dict[str, object]:
        """The conditions there are, beside the query and whose messages are meant."""
        conditions = {name: getattr(self, name) for name in ("session_id", "role", "at_from", "at_to")}
        return {name: value for name, value in conditions.items() if value is not None}


@dataclass(frozen=True, slots=True)
class SessionSearch:
    """Which sessions are looked for."""

    query: str
    filter: SessionFilter = field(default_factory=SessionFilter)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a snippet."""

    text: str
    highlighted: bool
    """Whether it is what was looked for."""


@dataclass(frozen=True, slots=True)
class Hit:
    """What all hits tell."""

    session_id: SessionId
    relevance: int
    """In millionths."""
    fragments: tuple[Fragment, ...]
    """A short piece of the text around the first match; joined, they are it."""

    @property
    def rank(self) -> float:
        """How well it fits: above 0, at most 1."""
        return self.relevance / 1_000_000

    @property
    def snippet(self) -> str:
        """The piece of text without marks."""
        return "".join(fragment.text for fragment in self.fragments)


@dataclass(frozen=True, slots=True)
class MessageHit(Hit):
    """A message that was found."""

    message_id: MessageId


@dataclass(frozen=True, slots=True)
class SessionHit(Hit):
    """A session that was found."""

    message_id: MessageId | None
    """The message in it that fits best, where one does."""

    matched_in: tuple[MatchedIn, ...]


def words_of(text: str) -> list[str]:
    """The words of a text, cut as the index cuts them, in the case they have."""
    return _WORDS.findall(unicodedata.normalize("NFKC", text).replace("\x00", " "))


def _sides(tokens: list[tuple[str, str, str, str]]) -> list[list[tuple[str, str, str, str]]]:
    sides: list[list[tuple[str, str, str, str]]] = [[]]
    for token in tokens:
        if token[3] in _OR and not token[2]:
            sides.append([])
        else:
            sides[-1].append(token)
    return sides


def _alternative(tokens: list[tuple[str, str, str, str]]) -> Alternative:
    wanted: dict[Term, None] = {}
    unwanted: dict[Term, None] = {}
    for quoted_minus, phrase, bare_minus, word in tokens:
        text, minus = phrase or word, quoted_minus or bare_minus
        if words_of(text):
            # What is not wanted is whole words: -ten is not to hide what speaks of attention.
            (unwanted if minus else wanted)[Term(text, exact=bool(phrase or minus))] = None
    return Alternative(tuple(wanted), tuple(unwanted))
