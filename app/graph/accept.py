"""What a client wants its answer to be: the header Accept, by RFC 9110 and the specification GraphQL over HTTP."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
"""The same JSON, whose sender can be nobody but a GraphQL server: clients trust it whatever the status is."""
EVENTS = "text/event-stream"
MULTIPART = "multipart/mixed"

LONGEST_KEPT = 256
"""Characters of a header whose meaning is remembered: clients send one of some dozens, again and again. Longer ones are
read each time, so that made-up ones cannot fill the memory."""
KEPT = 256

_WEIGHT = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?", re.ASCII)
_UTF8 = ("utf-8", "utf8")


@dataclass(frozen=True, slots=True)
class Accepted:
    """The kinds of answers that a client takes, with its weights from 0 (not at all) to 1."""

    json: str | None
    """The media type of an answer in JSON; None where the client takes none."""
    weight: float = 1.0
    """Of that type."""
    names_json: bool = False
    """Whether the client chose `application/json` by its name: it may know nothing of the statuses of GraphQL."""
    events: float = 0.0
    multipart: float = 0.0

    @property
    def as_events(self) -> bool:
        """Whether also what is one answer, or a refusal of the document, is to be a stream of events."""
        return self.events > (self.weight if self.json else 0.0)


@dataclass(frozen=True, slots=True)
class _Range:
    """One media range of the header."""

    name: str
    parameters: Mapping[str, str]
    weight: float
    place: int

    def fits(self, media_type: str) -> int:
        """How exactly it names a type: 3 by its name, 2 by its kind, 1 as anything, 0 not at all.

        What we send is UTF-8: a range of another charset names none of it. Other parameters are not looked at.
        """
        if self.parameters.get("charset", "utf-8") not in _UTF8:
            return 0
        if self.name == media_type:
            return 3
        return 2 if self.name == media_type.partition("/")[0] + "/*" else int(self.name == "*/*")


def accepted_by(headers: Iterable[str]) -> Accepted:
    """What the lines of the header name. Without any, the answer is JSON; where nothing fits, `json` is None.

    Of several types the one of the highest weight is taken, then the one that is named more exactly, then the one that
    is named first. Streams are never meant by `*/*`: they have to be asked for by their names. `multipart/mixed` counts
    with `subscriptionSpec=1.0` only: other clients mean deferred parts of queries by it.
    """
    header = ",".join(headers)
    return _known(header) if len(header) <= LONGEST_KEPT else _read(header)


def _read(header: str) -> Accepted:
    if not header.strip():
        return Accepted(JSON)
    ranges = list(_ranges(header))
    json, (weight, exactness, _) = max(
        ((name, _weight_of(name, ranges)) for name in (JSON, RESPONSE)), key=lambda found: found[1]
    )
    specified = [each for each in ranges if each.parameters.get("subscriptionspec", "").startswith("1")]
    return Accepted(
        json=json if weight else None,
        weight=weight,
        names_json=weight > 0 and json == JSON and exactness == 3,
        events=_weight_by_name(EVENTS, ranges),
        multipart=_weight_by_name(MULTIPART, specified),
    )


_known = lru_cache(KEPT)(_read)


def _weight_of(media_type: str, ranges: Iterable[_Range]) -> tuple[float, int, int]:
    """The weight of a type: that of the range that names it most exactly; how exactly, and how far in front."""
    exactness, weight, place = max(
        ((each.fits(media_type), each.weight, -each.place) for each in ranges), default=(0, 0.0, 0)
    )
    return (weight, exactness, place) if exactness else (0.0, 0, 0)


def _weight_by_name(media_type: str, ranges: Iterable[_Range]) -> float:
    return max((each.weight for each in ranges if each.fits(media_type) == 3), default=0.0)


def _ranges(header: str) -> Iterator[_Range]:
    """The ranges that can be read; what is none is passed over, as is one whose weight is no weight."""
    for place, part in enumerate(header.lower().split(",")):
        name, *pieces = (piece.strip() for piece in part.split(";"))
        given = {key.strip(): value.strip(' "') for key, _, value in (piece.partition("=") for piece in pieces)}
        weight = given.get("q", "1")
        if _WEIGHT.fullmatch(weight):
            yield _Range(name, given, float(weight), place)
