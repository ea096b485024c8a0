"""Whether two servers have said the same, each in its own way."""

import base64
import binascii
from datetime import datetime
from uuid import UUID

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


class Disagreement(Exception):
    """Two servers answered the same question differently, or one did not answer."""


def facts(answer: Json) -> Json:
    """What an answer says, without its form; Disagreement where it holds errors.

    Ids are bare UUIDs, moments are milliseconds (JavaScript's dates keep no more), words of enums are small, and of an
    opaque cursor it counts that there is one.
    """
    if not isinstance(answer, dict) or answer.get("errors") or not answer.get("data"):
        raise Disagreement(f"no answer: {str(answer)[:500]}")
    return _plain("", answer["data"])


def difference(one: Json, other: Json, path: str = "data") -> str | None:
    """Where two answers' facts first differ, and in what; None where they agree."""
    match one, other:
        case dict(), dict() if one.keys() == other.keys():
            pairs = [(f"{path}.{name}", value, other[name]) for name, value in one.items()]
        case list(), list() if len(one) == len(other):
            pairs = [
                (f"{path}[{place}]", left, right) for place, (left, right) in enumerate(zip(one, other, strict=True))
            ]
        case _:
            return None if one == other and type(one) is type(other) else f"{path}: {_short(one)} and {_short(other)}"
    return next((found for path, left, right in pairs if (found := difference(left, right, path))), None)


def _plain(name: str, value: Json) -> Json:
    match value:
        case dict():
            return {inner: _plain(inner, told) for inner, told in value.items()}
        case list():
            return [_plain(name, told) for told in value]
        case str() if name == "id":
            return _bare_uuid(value)
        case str() if name.endswith("At"):
            moment = datetime.fromisoformat(value)
            return int(moment.timestamp()) * 1000 + moment.microsecond // 1000
        case str() if name in {"role", "status"}:
            return value.lower()
        case str() if name.endswith("Cursor"):
            return "a cursor"
        case _:
            return value


def _bare_uuid(written: str) -> str:
    """Of an id that is one already, or Relay's: base64 of `Type:uuid`."""
    try:
        return str(UUID(written))
    except ValueError:
        pass
    try:
        return str(UUID(base64.b64decode(written, validate=True).decode().rpartition(":")[2]))
    except (ValueError, binascii.Error) as error:
        raise Disagreement(f"an id without a UUID: {written}") from error


def _short(value: Json) -> str:
    match value:
        case dict():
            return "{" + ", ".join(sorted(value)) + "}"
        case list():
            return f"{len(value)} of them"
        case _:
            return repr(value)[:100]
