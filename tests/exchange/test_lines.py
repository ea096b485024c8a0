"""Lines of a file: bounded, numbered, and none of them lost."""

from pathlib import Path

import pytest

from app.exchange.errors import UnusableFile
from app.exchange.files import lines
from app.exchange.files.lines import Line, lines_of, opened, size_of


def found_in(folder: Path, content: bytes) -> list[Line]:
    file = folder / "some.jsonl"
    file.write_bytes(content)
    with opened(file) as source:
        found = list(lines_of(source))
        assert size_of(source) == len(content)
    return found


def test_blank_lines_are_passed_over_and_counted(tmp_path: Path) -> None:
    found = found_in(tmp_path, b"\n[1]\r\n  \n[2]\n")

    assert [(one.number, one.text, one.end_offset) for one in found] == [(2, b"[1]", 6), (4, b"[2]", 13)]


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    assert [one.text for one in found_in(tmp_path, b"\xef\xbb\xbf[1]\n[2]\n")] == [b"[1]", b"[2]"]


def test_a_last_line_without_an_end_may_be_cut_off(tmp_path: Path) -> None:
    assert [(one.text, one.is_whole) for one in found_in(tmp_path, b"[1]\n[2")] == [(b"[1]", True), (b"[2", False)]


def test_a_line_over_the_bound_is_left_out_of_memory_and_the_next_is_found(tmp_path: Path) -> None:
    bound = lines.LONGEST_LINE_BYTES
    longest, too_long = b"x" * bound, b"y" * (2 * bound + 7)

    found = found_in(tmp_path, longest + b"\n" + too_long + b"\n[3]\n" + too_long)

    assert [(one.number, one.is_too_long, one.is_whole) for one in found] == [
        (1, False, True), (2, True, True), (3, False, True), (4, True, False),
    ]  # fmt: skip
    assert max(len(one.text) for one in found) == bound + 1
    assert found[2].text == b"[3]"
    assert found[3].end_offset == len(longest) + 1 + len(too_long) + 5 + len(too_long)


@pytest.mark.parametrize(("name", "reason"), [("absent", "No such file or directory"), ("", "Is a directory")])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(UnusableFile) as caught, opened(tmp_path / name):
        pass

    assert caught.value.message == f"{tmp_path / name} cannot be read: {reason}"
