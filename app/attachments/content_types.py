"""What a file is, by what stands in it: its sender's account is never trusted."""

import re

import filetype
import orjson

UNKNOWN = "application/octet-stream"

LARGEST_JSON_BYTES = 1024 * 1024
"""Longer text is not parsed to see whether it is JSON: for that it would be in memory several times."""

_OPENING_BYTES = 4096
"""How much of a text tells what markup it is."""

_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
"""Control characters beside white space and ESC, which colours the output of terminals."""

_PROLOGUE = re.compile(r"(?:\s|<\?xml[^>]*>|<!--.*?-->)*", re.DOTALL)
_ROOT = re.compile(r"<(?:!doctype\s+)?([a-z][\w:-]*)")

_SAFE_KINDS = ("image/", "audio/", "video/", "font/", "application/vnd.")
_SAFE_TYPES = {
    "text/plain", "application/json", "application/pdf", "application/zip", "application/gzip", "application/rtf",
    "application/msword",
}  # fmt: skip

_SAME = {
    "application/rtf": "text/rtf", "application/x-gzip": "application/gzip", "application/xml": "text/xml",
    "application/x-zip-compressed": "application/zip", "audio/mp3": "audio/mpeg", "audio/wav": "audio/x-wav",
    "audio/wave": "audio/x-wav", "image/jpg": "image/jpeg", "text/json": "application/json",
}  # fmt: skip
"""Other names for a type."""

_PLAIN_KINDS = {"text/csv", "text/markdown", "text/tab-separated-values", "text/calendar", "text/vcard", "text/plain"}
"""Text that nothing in it tells from other text: that it is one of these is no lie."""


def content_type_of(content: bytes) -> str:
    """The type of a file by its signature, of text by what it is written in; UNKNOWN where nothing tells."""
    text = _text_of(content)
    if text is None:
        return str(filetype.guess_mime(content) or UNKNOWN)
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    if content.startswith(b"{\\rtf"):
        return "application/rtf"
    opening = text[:_OPENING_BYTES].lstrip("\ufeff \t\r\n\f").lower()
    if opening.startswith("<"):
        return _markup(opening)
    return "application/json" if opening.startswith(("{", "[")) and _is_json(content) else "text/plain"


def served_type(content_type: str) -> str:
    """The type that a file is sent with: one that a browser runs nothing of."""
    if content_type == "text/plain":
        return "text/plain; charset=utf-8"
    is_safe = content_type in _SAFE_TYPES or content_type.startswith(_SAFE_KINDS)
    return content_type if is_safe and not content_type.endswith("+xml") else UNKNOWN


def contradicts(claimed: str, found: str) -> bool:
    """Whether what a sender said of a file is not what it is."""
    said = claimed.partition(";")[0].strip().lower()
    if said in ("", UNKNOWN, "multipart/form-data", "application/x-www-form-urlencoded"):
        return False
    if found == "text/plain" and said in _PLAIN_KINDS:
        return False
    return _SAME.get(said, said) != _SAME.get(found, found)


def _text_of(content: bytes) -> str | None:
    if _NO_TEXT.search(content):
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _markup(opening: str) -> str:
    """What begins with `<`: a picture, XML by its own account, and whatever a browser might take for a page."""
    prologue = _PROLOGUE.match(opening)
    root = _ROOT.match(opening, prologue.end() if prologue else 0)
    name = root[1] if root else ""
    if name.rpartition(":")[2] == "svg":
        return "image/svg+xml"
    if opening.startswith("<?xml") and name != "html":
        return "text/xml"
    return "text/html" if name else "text/plain"


def _is_json(content: bytes) -> bool:
    if len(content) > LARGEST_JSON_BYTES:
        return False
    try:
        orjson.loads(content)
    except orjson.JSONDecodeError:
        return False
    return True
