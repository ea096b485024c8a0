"""Cuts a snippet out of a text and marks in it what was looked for. Pure: no HTML, nothing to escape."""

import re
from collections.abc import Iterable, Iterator, Sequence

from app.search.values import SEPARATORS, SPACELESS, Fragment, Term

SNIPPET_LENGTH = 240
"""Characters: three lines of a list."""
BEFORE_MATCH = 60
"""Characters shown before the first match, at most."""
ELLIPSIS = "…"
_LONGEST_WORD = 24
"""A cut is moved so far to find the end of a word."""

_SPACELESS = re.compile(f"[{SPACELESS}]")


def snippet(text: str, terms: Iterable[Term], *, cut_before: bool = False) -> tuple[Fragment, ...]:
    """Up to SNIPPET_LENGTH characters of `text` from shortly before the first match on, as marked and unmarked pieces.

    `cut_before`: whether `text` itself begins somewhere inside a longer one. Where something was left out stands an
    ellipsis. Without a match it is the beginning of the text, unmarked. Pieces are never empty.
    """
    spans = matches(text, terms)
    start = _start(text, spans[0][0]) if spans else 0
    end = _end(text, start + SNIPPET_LENGTH)
    pieces = [*_pieces(text, spans, start, end)]
    if pieces and (start > 0 or cut_before):
        pieces.insert(0, Fragment(ELLIPSIS, highlighted=False))
    if end < len(text):
        pieces.append(Fragment(ELLIPSIS, highlighted=False))
    return tuple(_joined(pieces))


def matches(text: str, terms: Iterable[Term]) -> list[tuple[int, int]]:
    """Where the terms stand in `text`, in order, none overlapping another."""
    pattern = "|".join(f"(?:{_pattern(term)})" for term in sorted(terms, key=lambda term: -len(term.text)))
    return [found.span() for found in re.finditer(pattern, text, re.IGNORECASE)] if pattern else []


def _pattern(term: Term) -> str:
    """A regular expression for a term as the index compares it: the same words, whatever stands between them."""
    words = term.words
    pattern = f"[{SEPARATORS}]+".join(re.escape(word) for word in words)
    short = len(words) == 1 and len(words[0]) <= 2
    if not term.exact and not short:
        return pattern
    # A script without spaces has no ends of words.
    before = "" if _SPACELESS.match(words[0]) else f"(?<![^{SEPARATORS}{SPACELESS}])"
    after = "" if _SPACELESS.match(words[-1][-1]) else f"(?![^{SEPARATORS}{SPACELESS}])"
    return before + pattern + after


def _start(text: str, match: int) -> int:
    """Where a snippet begins that shows the match at `match`: at the beginning of a word, where there is one near."""
    wanted = match - BEFORE_MATCH
    if wanted <= 0:
        return 0
    blank = re.compile(r"\s").search(text, wanted, min(wanted + _LONGEST_WORD, match))
    return blank.end() if blank else wanted


def _end(text: str, wanted: int) -> int:
    """Where a snippet ends that may go to `wanted`: at the end of a word, where there is one near."""
    if wanted >= len(text):
        return len(text)
    for at in range(wanted, wanted - _LONGEST_WORD, -1):
        if text[at].isspace():
            return at
    return wanted


def _pieces(text: str, spans: Sequence[tuple[int, int]], start: int, end: int) -> Iterator[Fragment]:
    at = start
    for first, last in spans:
        if first >= end:
            break
        yield Fragment(text[at:first], highlighted=False)
        yield Fragment(text[first : min(last, end)], highlighted=True)
        at = min(last, end)
    yield Fragment(text[at:end], highlighted=False)


def _joined(pieces: Iterable[Fragment]) -> Iterator[Fragment]:
    """Without empty pieces, and neighbours of a kind as one."""
    last: Fragment | None = None
    for piece in pieces:
        if last is not None and last.highlighted == piece.highlighted:
            last = Fragment(last.text + piece.text, last.highlighted)
        elif piece.text:
            if last is not None:
                yield last
            last = piece
    if last is not None and last.text:
        yield last
