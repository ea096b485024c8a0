"""Text from outside: what PostgreSQL cannot keep, how deep JSON may nest, and titles in the names of files."""

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence

import orjson

from app.core.errors import ValidationError

DEEPEST_JSON = 64
"""Levels of nesting in free-form JSON. Human-made metadata needs under ten; a parser's stack is far deeper."""

LARGEST_JSON_BYTES = 512 * 1024
"""Of one free-form JSON value (metadata, custom data, context items): it is read whenever its row is."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """`text` without what PostgreSQL cannot hold (U+0000, lone surrogates): for text that nobody can mend."""
    return text if text.isascii() and "\x00" not in text else _UNSTORABLE.sub("", text)


def slug(title: str, *, at_most: int) -> str:
    """A title in small letters, digits and hyphens, which every system takes in a file's name; empty where none are."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:at_most].strip("-")


def require_storable(value: object, field: str) -> None:
    """Raise ValidationError, naming the place, when text in `value` cannot be stored or JSON nests too deep.

    PostgreSQL's text cannot hold U+0000, UTF-8 has no lone surrogates, and JSON has no infinite numbers. Values are
    looked at wherever they stand in dicts (keys too) and lists, by a loop: nesting cannot exhaust the stack.
    """
    pending: list[tuple[object, str, int]] = [(value, field, 0)]
    while pending:
        found, path, depth = pending.pop()
        if isinstance(found, str):
            _require_storable_text(found, path)
        elif isinstance(found, float | int):
            _require_storable_number(found, path)
        elif isinstance(found, dict | list | tuple):
            if depth >= DEEPEST_JSON:
                raise too_deep(path[:100])
            pending.extend((item, inner, depth + 1) for item, inner in _items(found, path))


def too_deep(field: str) -> ValidationError:
    """The refusal of JSON that nests more than DEEPEST_JSON levels."""
    return ValidationError(
        f"{field} nests more than {DEEPEST_JSON} levels deep", field=field, hint="flatten it, or send it as a string"
    )


def require_length(value: str, field: str, *, at_least: int = 0, at_most: int) -> None:
    """Raise ValidationError when `value` is blank although text is required, or longer than `at_most` characters."""
    if at_least and not value.strip():
        raise ValidationError(f"{field} must not be empty", field=field, hint="send at least one visible character")
    if len(value) > at_most:
        raise ValidationError(
            f"{field} has {len(value):,} characters; at most {at_most:,} are stored", field=field, hint="shorten it"
        )


def require_count(count: int, field: str, *, at_most: int) -> None:
    """Raise ValidationError when a list has more than `at_most` members."""
    if count > at_most:
        raise ValidationError(
            f"{field} has {count:,} members; at most {at_most:,} are stored", field=field, hint="send fewer"
        )


def require_range(number: float | None, field: str, *, at_least: float, at_most: float) -> None:
    """Raise ValidationError when a number is given and out of bounds."""
    if number is not None and not at_least <= number <= at_most:
        raise ValidationError(
            f"{field} must be between {at_least:,} and {at_most:,}, not {number}", field=field, hint="correct it"
        )


def require_json_size(value: object, field: str, *, at_most: int = LARGEST_JSON_BYTES) -> None:
    """Raise ValidationError when free-form JSON is larger than `at_most` bytes."""
    size = len(orjson.dumps(value)) if value else 0
    if size > at_most:
        raise ValidationError(
            f"{field} is {size:,} bytes of JSON; at most {at_most:,} are stored",
            field=field,
            hint="keep large content in messages, and refer to it",
        )


def _items(found: dict[object, object] | Sequence[object], path: str) -> Iterator[tuple[object, str]]:
    if isinstance(found, dict):
        for key, item in found.items():
            yield key, f"{path} (a key)"
            yield item, f"{path}.{key}"
    else:
        for index, item in enumerate(found):
            yield item, f"{path}[{index}]"


def _require_storable_text(text: str, path: str) -> None:
    if text.isascii():
        if "\x00" in text:
            raise _unstorable(path, "the character U+0000")
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _unstorable(path, "a lone surrogate (half of a UTF-16 pair)") from None
    if "\x00" in text:
        raise _unstorable(path, "the character U+0000")


def _require_storable_number(number: float, path: str) -> None:
    if isinstance(number, int):
        if not -(2**63) <= number < 2**64:
            raise _unstorable(path, "a whole number of more than 64 bits", hint="send it as a string")
    elif not math.isfinite(number):
        raise _unstorable(path, "a number too large for a double", hint="send it as a string")


def _unstorable(path: str, what: str, hint: str = "remove it") -> ValidationError:
    # The path holds keys as the client sent them: it must itself be fit for the answer.
    shown = path.encode(errors="backslashreplace").decode().replace("\x00", "\\u0000")[:200]
    return ValidationError(f"{shown} contains {what}, which cannot be stored", field=shown, hint=hint)
