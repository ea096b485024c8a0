"""Ranges: whatever is asked for, what is sent are those bytes, or all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.graph.ranges import RangeNotSatisfiable, asked_range, is_known

ETAG = '"sha256-1"'

numbers = st.integers(0, 12)


@given(st.binary(max_size=8), numbers, numbers)
def test_first_and_last_are_both_sent(content: bytes, first: int, last: int) -> None:
    try:
        found = asked_range({"range": f"bytes={first}-{last}"}, ETAG, len(content))
    except RangeNotSatisfiable:
        assert first >= len(content)
        return
    if last < first:
        assert found is None
    else:
        assert found is not None
        assert content[found.start : found.stop] == content[first : last + 1] != b""


@given(st.binary(max_size=8), numbers)
def test_what_has_no_last_goes_to_the_end(content: bytes, first: int) -> None:
    try:
        found = asked_range({"range": f"bytes={first}-"}, ETAG, len(content))
    except RangeNotSatisfiable:
        assert first >= len(content)
        return
    assert found is not None
    assert content[found.start : found.stop] == content[first:] != b""


@given(st.binary(max_size=8), numbers)
def test_what_has_no_first_is_so_much_from_the_end(content: bytes, last: int) -> None:
    try:
        found = asked_range({"range": f"bytes=-{last}"}, ETAG, len(content))
    except RangeNotSatisfiable:
        assert last == 0 or content == b""
        return
    assert found is not None
    assert content[found.start : found.stop] == content[-last:]


@pytest.mark.parametrize(
    "header", ["", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=0-1,3-4", "items=0-1", "bytes=1-0", "bytes=٣-٤"]
)
def test_what_is_not_one_range_is_ignored(header: str) -> None:
    assert asked_range({"range": header}, ETAG, 5) is None


@given(st.text(alphabet="bytes=0123456789-, \t", max_size=20))
def test_any_header_is_a_range_a_refusal_or_ignored(header: str) -> None:
    try:
        found = asked_range({"range": header}, ETAG, 5)
    except RangeNotSatisfiable:
        return
    assert found is None or (0 <= found.start < found.stop <= 5)


@pytest.mark.parametrize(
    ("known", "expected"),
    [(ETAG, True), (f"W/{ETAG}", True), (f'"a", {ETAG}', True), ("*", True), ('"a"', False), ("", False)],
)
def test_what_is_known_is_told_by_its_tag(known: str, expected: bool) -> None:
    assert is_known({"if-none-match": known}, ETAG) is expected
