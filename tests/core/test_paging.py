"""Pages: cursors lead back to their place, and nothing else is taken for one."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.errors import InvalidCursor, ValidationError
from app.core.paging import LONGEST_CURSOR, MOST_PER_PAGE, ListName, Page, PageRequest

PARENT = UUID("0198b3a0-0000-7000-8000-00000000000a")
TYPES = (datetime, UUID, int)
EVENTS = ListName("auditEvents")
NAMES = ListName("promptTemplates")

_moments = st.datetimes(
    min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)
) | st.builds(
    lambda moment, minutes: moment.replace(tzinfo=timezone(timedelta(minutes=minutes))),
    st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
)
_numbers = st.integers(-(2**63) + 1, 2**63 - 1)


def _cursor(*members: object) -> str:
    return urlsafe_b64encode(orjson.dumps(list(members))).decode()


@given(_moments, st.uuids(), _numbers, st.none() | st.uuids())
def test_cursor_leads_back_to_its_row(moment: datetime, key: UUID, number: int, parent: UUID | None) -> None:
    name = ListName("auditEvents", parent)
    cursor = name.encode((moment, key, number))

    assert len(cursor) <= LONGEST_CURSOR
    assert name.decode(cursor, TYPES, "after") == [moment, key, number]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=255), st.uuids())
@example("\x01" * 255, PARENT)
@example("\U0001f600" * 255, PARENT)
def test_cursor_of_a_name_leads_back_to_its_row(text: str, key: UUID) -> None:
    cursor = NAMES.encode((text, key))

    assert len(cursor) <= LONGEST_CURSOR
    assert NAMES.decode(cursor, (str, UUID), "after") == [text, key]


@pytest.mark.parametrize("text", [1, None, ["a"], "a\0"])
def test_what_no_name_can_be_is_an_invalid_cursor(text: object) -> None:
    with pytest.raises(InvalidCursor):
        NAMES.decode(NAMES.encode((text, PARENT)), (str, UUID), "after")


def test_no_cursor_is_no_position() -> None:
    assert EVENTS.decode(None, TYPES, "after") is None


_json: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text("ab01:-T+"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.text()
    | st.text(alphabet="ABCabc012+/=-_")
    | _json.map(lambda found: urlsafe_b64encode(orjson.dumps(found)).decode())
    | st.lists(_json | _moments.map(str) | st.uuids().map(str), min_size=2, max_size=4).map(
        lambda members: _cursor("auditEvents", *members)
    )
)
def test_any_text_is_a_position_or_an_invalid_cursor(text: str) -> None:
    try:
        found = EVENTS.decode(text, TYPES, "before")
    except InvalidCursor:
        return
    assert found is not None
    moment, key, number = found
    assert (type(moment), type(key), type(number)) == TYPES
    assert moment.tzinfo is UTC
    assert abs(number) < 2**63


MOMENT = "2026-01-31T12:00:00+00:00"
REFUSED = {
    "another list": _cursor("sessions:x", MOMENT, str(PARENT), 1),
    "another parent": ListName("auditEvents", PARENT).encode((MOMENT, PARENT, 1)),
    "too few": _cursor("auditEvents", MOMENT, str(PARENT)),
    "too many": _cursor("auditEvents", MOMENT, str(PARENT), 1, 1),
    "an empty list": _cursor(),
    "an object": urlsafe_b64encode(b'{"a": 1}').decode(),
    "a number": urlsafe_b64encode(b"1").decode(),
    "a time without an offset": _cursor("auditEvents", "2026-01-31T12:00:00", str(PARENT), 1),
    "a time before the first year": _cursor("auditEvents", "0001-01-01T00:00:00+14:00", str(PARENT), 1),
    "true as a number": _cursor("auditEvents", MOMENT, str(PARENT), True),
    "a text as a number": _cursor("auditEvents", MOMENT, str(PARENT), "1"),
    "a fraction": _cursor("auditEvents", MOMENT, str(PARENT), 1.5),
    "more than a bigint": _cursor("auditEvents", MOMENT, str(PARENT), 2**63),
    "not a uuid": _cursor("auditEvents", MOMENT, "x", 1),
    "not ascii": "Ä" * 8,
    "too long": "A" * (LONGEST_CURSOR + 4),
}


@pytest.mark.parametrize("cursor", REFUSED.values(), ids=REFUSED.keys())
def test_what_the_list_did_not_hand_out_is_an_invalid_cursor(cursor: str) -> None:
    with pytest.raises(InvalidCursor) as refused:
        EVENTS.decode(cursor, TYPES, "after")

    assert refused.value.field == "after"


def test_page_without_bounds_has_the_default_size_from_the_start() -> None:
    assert PageRequest.of(None, None, None, None, 20) == PageRequest(20)


def test_page_is_read_in_the_direction_that_was_asked_for() -> None:
    assert PageRequest.of(5, None, "a", None, 20) == PageRequest(5, after="a")
    assert PageRequest.of(None, 5, None, "b", 20) == PageRequest(5, backward=True, before="b")


@pytest.mark.parametrize("size", [1, MOST_PER_PAGE])
def test_smallest_and_largest_page_are_allowed(size: int) -> None:
    assert PageRequest.of(size, None, None, None, 20).limit == size
    assert PageRequest.of(None, size, None, None, 20).limit == size


@pytest.mark.parametrize("size", [0, -1, MOST_PER_PAGE + 1, 2**31 - 1])
@pytest.mark.parametrize("name", ["first", "last"])
def test_other_sizes_are_refused_by_name(name: str, size: int) -> None:
    first, last = (size, None) if name == "first" else (None, size)

    with pytest.raises(ValidationError) as refused:
        PageRequest.of(first, last, None, None, 20)

    assert refused.value.field == name
    assert refused.value.message == f"{name} must be between 1 and 100, not {size}"


def test_first_and_last_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match="first and last exclude each other"):
        PageRequest.of(1, 1, None, None, 20)


async def _none() -> int:
    return 0


def test_extra_row_says_that_the_list_goes_on_and_is_not_shown() -> None:
    forward = Page.of([1, 2, 3], PageRequest(2, after="a"), str, _none)
    backward = Page.of([3, 2, 1], PageRequest(2, backward=True), str, _none)

    assert (forward.nodes, forward.has_next_page, forward.has_previous_page) == ([1, 2], True, True)
    assert (backward.nodes, backward.has_next_page, backward.has_previous_page) == ([2, 3], False, True)
    assert (forward.page_info.start_cursor, forward.page_info.end_cursor) == ("1", "2")
    assert [edge.cursor for edge in backward.edges] == ["2", "3"]


def test_empty_page_has_no_cursors() -> None:
    page: Page[int] = Page.of([], PageRequest(2), str, _none)

    assert (page.page_info.start_cursor, page.page_info.end_cursor) == (None, None)
    assert not page.has_next_page
