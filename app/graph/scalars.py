"""Scalars of the graph beyond GraphQL's own."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from app.graph.uploads import UploadedFile

BigInt = NewType("BigInt", int)
Json = NewType("Json", object)
Upload = NewType("Upload", UploadedFile)


def _parse_big_int(value: object) -> int:
    try:
        number = int(value) if isinstance(value, str) else value
    except ValueError:
        number = None
    if type(number) is not int or not -(2**63) <= number < 2**63:
        raise GraphQLError("a BigInt is a whole number of up to 64 bits, as a string")
    return number


def _parse_date_time(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
        if moment.tzinfo is None:
            raise GraphQLError("a DateTime needs its offset from UTC: add Z or +01:00")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError("a DateTime is written as in ISO 8601: 2026-01-31T12:00:00Z") from None


def _parse_decimal(value: object) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise GraphQLError("a Decimal is a number, best as a string")
    return number


def _parse_upload(value: object) -> UploadedFile:
    if not isinstance(value, UploadedFile):
        raise GraphQLError("an Upload is a file of a multipart request: null in the variables, and named in the map")
    return value


def as_it_is(value: object) -> object:
    """JSON is written as it is."""
    return value


def plain_decimal(number: Decimal) -> str:
    """All its digits, and no exponent: numeric(20, 10) gives a zero as 0E-10."""
    written = format(number, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def _scalar(name: str, description: str, parse: Any, serialize: Any, url: str | None = None) -> ScalarDefinition:
    return strawberry.scalar(
        name=name, description=description, parse_value=parse, serialize=serialize, specified_by_url=url
    )


SCALARS: dict[object, ScalarDefinition] = {
    BigInt: _scalar(
        "BigInt", "A whole number of up to 64 bits, as a string: JavaScript's numbers lose digits beyond 2^53.",
        _parse_big_int, str,
    ),
    Json: _scalar("JSON", "Any JSON value, nested at most 64 levels deep.", as_it_is, as_it_is),
    datetime: _scalar(
        "DateTime", "A moment, in UTC, written as in ISO 8601.", _parse_date_time, datetime.isoformat,
        "https://scalars.graphql.org/andimarek/date-time",
    ),
    Decimal: _scalar("Decimal", "An exact decimal number, as a string.", _parse_decimal, plain_decimal),
    Upload: _scalar(
        "Upload", "A file of at most 10 MiB, sent as a part of a multipart request.", _parse_upload, str,
        "https://github.com/jaydenseric/graphql-multipart-request-spec",
    ),
}  # fmt: skip

CONFIG = StrawberryConfig(scalar_map=SCALARS)
