"""Counts the tokens of a text as a model's own tokenizer does, or estimates them and says so."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, assert_never

try:
    # The extension module itself: importing rs_bpe.openai (rs-bpe 0.1.0) prints an error and offers nothing.
    from rs_bpe.bpe import openai as _rs_bpe
except ImportError:  # No wheel for Python 3.14: every count is then an estimate by length.
    _rs_bpe = None

SLICE_CHARACTERS = 8_192
"""Longer texts are counted in slices of at most this length.

rs-bpe 0.1.0 is linear (a million characters of prose, "a" or spaces: 15 to 45 ms; of emoji or random bytes: 90 to
170 ms) but holds the interpreter's lock while it counts, and a run of "-" costs 1.5 µs a character: a million would
stop every other thread for 1.5 s. A slice holds the lock for 0.3 ms of prose and 12 ms of "-".
"""

CUT_ERROR_TOKENS = 8
"""A cut that found no space moves the count by at most this much; 5 is the most seen over 80,000 random cuts of digits,
punctuation, letters, Han, Thai and emoji. A slice is at least 4,096 characters, so that is one in a thousand or so.
"""

ASCII_CHARACTERS_PER_TOKEN = 4
"""OpenAI's own rule of thumb for English; prose has 4.6 by o200k, source code about 3.3."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Encoding(StrEnum):
    """A published vocabulary."""

    O200K = "o200k_base"
    CL100K = "cl100k_base"


# After its family a name ends or goes on with a mark, so that "gpt-4.1" is no "gpt-4", and a coming "gpt-50" or "o11"
# is estimated and not taken for one of these.
_FAMILIES: tuple[tuple[re.Pattern[str], Encoding], ...] = (
    (re.compile(r"(gpt-4o|gpt-4\.1|gpt-4\.5|gpt-5|gpt-oss|chatgpt-4o|o1|o3|o4)(?=[-.:]|$)"), Encoding.O200K),
    (re.compile(r"(gpt-4|gpt-3\.5|gpt-35|text-embedding-3|text-embedding-ada-002)(?=[-:]|$)"), Encoding.CL100K),
)


@dataclass(frozen=True, slots=True)
class TokenCount:
    """How many tokens a text is for a model."""

    tokens: int
    estimated: bool
    """True where the model's own tokenizer is not known."""


class _Encoder(Protocol):
    def count(self, text: str, /) -> int: ...


def count_tokens(text: str, model: str | None = None) -> TokenCount:
    """The tokens of `text` alone: what a provider adds around a message is not in it.

    `model` is "provider:model" or a bare name; the model's name decides, whoever serves it. A model that is not known
    gets the count of o200k_base, marked as an estimate. "<|endoftext|>" and the like count as the text they are.

    Texts above `SLICE_CHARACTERS` are cut before the space that follows a word, where no token of these vocabularies
    goes on, and then the count is exact. Where half a slice holds no such space the cut is hard, and the count may be
    off by `CUT_ERROR_TOKENS`. A caller with more than a few slices does well to count in a thread.

    Raises ValueError for a text with a lone surrogate, which is no Unicode text.
    """
    # Looked for here: rs-bpe's own UnicodeEncodeError carries the whole text into whatever logs it.
    if _LONE_SURROGATE.search(text):
        raise ValueError("the text holds a lone surrogate (U+D800 to U+DFFF) and cannot be counted; remove it")
    encoding = encoding_of(model)
    encoder = _encoder(encoding or Encoding.O200K)
    if encoder is None:
        return TokenCount(estimate_by_length(text), estimated=True)
    return TokenCount(sum(encoder.count(piece) for piece in slices(text)), estimated=encoding is None)


def encoding_of(model: str | None) -> Encoding | None:
    """The vocabulary a model is known to use; None where it is not known.

    Provider prefixes ("openai:", "azure:", "openrouter:openai/") and "ft:" of fine-tuned models are passed over.
    """
    if model is None:
        return None
    name = model.strip().lower()
    # From the front: what follows the family is a date, a size, or the owner's own suffix of a fine-tuned model.
    starts = [0, *(mark.end() for mark in re.finditer(r"[:/]", name))]
    for start in starts:
        for family, encoding in _FAMILIES:
            if family.match(name, start):
                return encoding
    return None


def estimate_by_length(text: str) -> int:
    """Tokens by the kind of characters alone, for when no vocabulary is at hand.

    A quarter per ASCII character and a half per other one, rounded up: within a third for English, within a factor of
    two or so for other languages; runs of one character, random letters and emoji may be further off.
    """
    ascii_characters = len(text.encode("ascii", "ignore"))
    others = len(text) - ascii_characters
    return -(-(ascii_characters + 2 * others) // ASCII_CHARACTERS_PER_TOKEN)


def slices(text: str) -> Iterator[str]:
    """`text` in pieces of at most `SLICE_CHARACTERS` and, but for the last, at least half of that."""
    start = 0
    while len(text) - start > SLICE_CHARACTERS:
        end = _cut(text, start)
        yield text[start:end]
        start = end
    yield text[start:]


def warm_up() -> None:
    """Loads both vocabularies, so that no request waits for them.

    Takes 0.25 s and 65 MB for o200k_base, 0.1 s and 30 MB for cl100k_base. rs-bpe keeps them for the life of the
    process; without this call the first count loads the one it needs.
    """
    for encoding in Encoding:
        _encoder(encoding)


def _cut(text: str, start: int) -> int:
    # Both vocabularies first split a text by a pattern none of whose pieces goes on from a visible character into a
    # space: a cut there leaves every piece whole. A line break would not do: punctuation takes it into its own piece.
    floor, end = start + SLICE_CHARACTERS // 2, start + SLICE_CHARACTERS
    before = text[floor:end]
    while " " in before:
        before = before[: before.rindex(" ")].rstrip()
        if before and text[floor + len(before)] == " ":
            return floor + len(before)
    return end


def _encoder(encoding: Encoding) -> _Encoder | None:
    if _rs_bpe is None:
        return None
    # Not kept here: rs-bpe hands out its own single instance, in 0.2 µs.
    encoder: _Encoder
    match encoding:
        case Encoding.O200K:
            encoder = _rs_bpe.o200k_base()
        case Encoding.CL100K:
            encoder = _rs_bpe.cl100k_base()
        case _:
            assert_never(encoding)
    return encoder
