"""What a file is, by its content."""

import gzip
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.attachments.content_types import UNKNOWN, content_type_of, contradicts, served_type
from tests.attachments.files import HTML, PNG, SVG


def archive(*names: str) -> bytes:
    """A zip archive of files with these names."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as opened:
        for name in names:
            opened.writestr(name, "<x/>")
    return kept.getvalue()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (PNG, "image/png"), (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "image/gif"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "image/jpeg"), (archive("a.txt"), "application/zip"),
        (gzip.compress(b"x", mtime=0), "application/gzip"), (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "application/pdf"),
        (b"%PDF-1.4\nonly letters", "application/pdf"), (b"{\\rtf1 hello}", "application/rtf"),
        (archive("[Content_Types].xml", "_rels/.rels", "word/document.xml"),
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"", "text/plain"), (b"BM is a brand", "text/plain"), ("Привет".encode(), "text/plain"),
        (b"a < b", "text/plain"), (b"<3", "text/plain"), (b'{"a": 1}', "application/json"), (b"{a: 1}", "text/plain"),
        (HTML, "text/html"), (b"\xef\xbb\xbf\n <!-- x --> <HTML>", "text/html"), (b"<b>bold</b>", "text/html"),
        (b"<script>1</script>", "text/html"), (SVG, "image/svg+xml"), (b"<svg:svg>", "image/svg+xml"),
        (b"<!DOCTYPE svg PUBLIC ''><svg/>", "image/svg+xml"), (b"<html><svg/></html>", "text/html"),
        (b"<?xml version='1.0'?><feed/>", "text/xml"), (b"<?xml version='1.0'?><html/>", "text/html"),
        ("text".encode("utf-16"), UNKNOWN), (bytes(100), UNKNOWN), (b"\xff\xfe\xfd", UNKNOWN),
    ],
)  # fmt: skip
def test_a_file_is_what_stands_in_it(content: bytes, expected: str) -> None:
    assert content_type_of(content) == expected


@given(st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode(errors="replace")))
def test_any_bytes_have_a_type_that_is_served_without_being_run(content: bytes) -> None:
    served = served_type(content_type_of(content))

    assert not any(active in served for active in ("html", "xml", "script", "css"))


@pytest.mark.parametrize(
    ("claimed", "found", "is_lie"),
    [
        ("", "image/png", False), ("application/octet-stream", "image/png", False), ("image/png", "image/png", False),
        ("IMAGE/JPG; q=1", "image/jpeg", False), ("text/csv", "text/plain", False), ("text/html", "text/plain", True),
        ("text/plain", "text/html", True), ("image/png", "text/html", True), ("application/xml", "text/xml", False),
    ],
)  # fmt: skip
def test_a_lie_is_told_from_another_name(claimed: str, found: str, is_lie: bool) -> None:
    assert contradicts(claimed, found) is is_lie
