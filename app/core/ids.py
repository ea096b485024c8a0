"""Ids: UUIDv7 for rows, and Relay's global ids for the graph."""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from binascii import b2a_base64
from collections.abc import Callable
from typing import Any
from uuid import UUID

import uuid_utils
import uuid_utils.compat

from app.core.errors import ValidationError

LONGEST_GLOBAL_ID = 200
"""A type name and a UUID in base64 need under 100 characters; longer text is refused before it is decoded."""


def new_id() -> UUID:
    """A UUIDv7: ordered by time, so that new rows go to the right edge of their indexes."""
    return uuid_utils.compat.uuid7()


def new_text_id() -> str:
    """The text of a new id, for what is never stored as one: a tenth of the time of making a UUID, then its text."""
    return str(uuid_utils.uuid7())


def global_id(type_name: str, key: UUID | str) -> str:
    """Relay's opaque id of one row: unique over all types of the graph."""
    return b2a_base64(f"{type_name}:{key}".encode(), newline=False).decode()


def global_id_reader(type_name: str) -> Callable[[Any], str]:
    """A function that gives the global id of a row of one type by its `id`, for rows by the hundred."""
    head = f"{type_name}:"
    # Base64 makes four letters of three bytes: those that are the same in all ids are written once.
    same = len(head) // 3 * 3
    written, rest = b64encode(head[:same].encode()).decode(), head[same:]

    def read(row: Any) -> str:
        return written + b2a_base64(f"{rest}{row.id}".encode(), newline=False).decode()

    return read


def split_global_id(value: str, field: str = "id") -> tuple[str, str]:
    """The type name and key inside a global id; ValidationError naming `field` when it is not one."""
    try:
        if len(value) > LONGEST_GLOBAL_ID:
            raise ValueError  # noqa: TRY301 - one way out for every kind of malformed text
        decoded = b64decode(value, validate=True)
        # The last letter before `=` has bits that decoding ignores: one row would then have several global ids.
        if b64encode(decoded).decode() != value:
            raise ValueError  # noqa: TRY301
        type_name, separator, key = decoded.decode("ascii").partition(":")
    except (Base64Error, ValueError):
        raise _malformed(field) from None
    if not separator or not type_name or not key:
        raise _malformed(field)
    return type_name, key


def parse_global_id(value: str, type_name: str, field: str = "id") -> UUID:
    """The UUID inside the global id of a `type_name`; ValidationError naming `field` when it is something else."""
    found, key = split_global_id(value, field)
    if found != type_name:
        raise ValidationError(
            f"{field} is the id of another type of object, not of a {type_name}",
            field=field,
            hint=f"pass the id of a {type_name}",
        )
    return parse_uuid(key, field)


def parse_uuid(key: str, field: str = "id") -> UUID:
    """The UUID written in `key` in its canonical form; ValidationError naming `field` otherwise."""
    try:
        uuid = UUID(key)
    except ValueError:
        raise _malformed(field) from None
    # UUID() also takes braces, urn: and missing hyphens: one row would then have several global ids.
    if str(uuid) != key:
        raise _malformed(field)
    return uuid


def _malformed(field: str) -> ValidationError:
    return ValidationError(f"{field} is not a valid id", field=field, hint="pass an id as this API returned it")
