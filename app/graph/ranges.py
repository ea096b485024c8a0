"""Parts of a download, and whether a client has it already: ranges and conditions by RFC 9110."""

import re
from collections.abc import Mapping

_ONE_RANGE = re.compile(r"bytes=[ \t]*(\d{0,19})-(\d{0,19})[ \t]*", re.ASCII | re.IGNORECASE)
_ENTITY_TAG = re.compile(r'(?:W/)?("[^"]*")')


class RangeNotSatisfiable(Exception):
    """The part that was asked for begins behind the end."""


def asked_range(headers: Mapping[str, str], etag: str, size: int) -> range | None:
    """Which bytes of `size` are asked for; None for all of them. RangeNotSatisfiable where there are none of these.

    What is not one range is as if it were not there, as the RFC allows; so is one on condition of another `etag`.
    """
    found = _ONE_RANGE.fullmatch(headers.get("range", ""))
    if found is None or headers.get("if-range", etag) != etag:
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if first and last and int(first) > int(last):
        return None
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last), size - 1) if first and last else size - 1
    if start >= size or (not first and int(last) == 0):
        raise RangeNotSatisfiable
    return range(start, end + 1)


def is_known(headers: Mapping[str, str], etag: str) -> bool:
    """Whether the client has what `etag` names: If-None-Match says so."""
    known = headers.get("if-none-match", "")
    return known.strip() == "*" or etag in _ENTITY_TAG.findall(known)
