"""Members of a JSON list: found whole wherever the file's pieces end, and never more than one in memory."""

import json
import random
from io import BytesIO
from typing import IO, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.exchange.errors import UnusableFile
from app.exchange.files.members import members_of


class InPieces(BytesIO):
    """A file that gives a few bytes at a time."""

    def __init__(self, text: bytes, most: int) -> None:
        super().__init__(text)
        self._most = most

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self._most)


def found_in(file: IO[bytes] | bytes) -> list[tuple[bytes, bool]]:
    file = BytesIO(file) if isinstance(file, bytes) else file
    return [(one.text, one.is_whole) for one in members_of(file, "conversation")]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"), max_size=8)
    | st.sampled_from(['"', "\\", '\\"', "[", "]{", ",", "\\\\"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    values=st.lists(_JSON, max_size=5),
    size=st.integers(1, 40),
    is_ascii=st.booleans(),
    indent=st.sampled_from([None, 1]),
)
def test_members_come_out_as_they_went_in_wherever_the_pieces_end(
    values: list[Any], size: int, is_ascii: bool, indent: int | None
) -> None:
    text = json.dumps(values, ensure_ascii=is_ascii, indent=indent).encode("utf-8", "surrogatepass")

    found = found_in(InPieces(b" \n" + text + b"\n", size))

    assert [json.loads(one.decode("utf-8", "surrogatepass")) for one, _ in found] == values
    assert all(is_whole for _, is_whole in found)


@settings(max_examples=100, deadline=None)
@given(values=st.lists(_JSON, min_size=1, max_size=4), seed=st.integers(0, 2**32))
def test_of_a_list_that_was_cut_what_was_whole_is_told_from_the_rest(values: list[Any], seed: int) -> None:
    text = json.dumps(values).encode()
    cut = text[: random.Random(seed).randrange(1, len(text))]

    found = found_in(InPieces(cut, 7))

    assert [is_whole for _, is_whole in found] == [True] * (len(found) - 1) + [False]
    assert [json.loads(one) for one, _ in found[:-1]] == values[: len(found) - 1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"[]", []),
        (b"\xef\xbb\xbf [ ] ", []),
        (b"[1]", [(b"1", True)]),
        (b"[1,]", [(b"1", True)]),
        (b"[,1]", [(b"", True), (b"1", True)]),
        (b"[1", [(b"1", False)]),
        (b"[", [(b"", False)]),
        (b"[1],", [(b"1", True), (b",", False)]),
        (b'["\\', [(b'"\\', False)]),
    ],
)
def test_odd_lists(text: bytes, found: list[tuple[bytes, bool]]) -> None:
    assert found_in(text) == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"{}", "it is no list of conversations in JSON"),
        (b"hello", "it is no list of conversations in JSON"),
        (b"\xff\xfe[", "it is no list of conversations in JSON"),
    ],
)
def test_what_is_no_list_is_told(text: bytes, reason: str) -> None:
    with pytest.raises(UnusableFile, match=reason):
        found_in(text)


def test_a_member_over_the_bound_is_left_out_of_memory_and_the_next_is_found() -> None:
    long = json.dumps(["x" * 5_000])

    found = list(members_of(InPieces(f"[1, {long}, 3]".encode(), 64), "conversation", 100))

    assert [(one.number, one.is_too_long) for one in found] == [(1, False), (2, True), (3, False)]
    assert max(len(one.text) for one in found) <= 100


def test_where_a_member_ends_in_the_file_is_known_to_the_piece() -> None:
    text = json.dumps(["\\" * 50] * 20).encode()

    found = list(members_of(InPieces(text, 10), "conversation"))

    assert found[-1].end_offset == len(text)
    assert [one.end_offset for one in found] == sorted(one.end_offset for one in found)
