"""The base of all tables."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, cast
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, MetaData, Numeric, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase

from app.core.ids import global_id

Json = dict[str, Any]


class Base(DeclarativeBase):
    """One table; and, for the type checker, one row of it.

    Rows are never loaded as tracked instances: a statement returns light records with the columns it selected and the
    properties of the table's class (see `app.db.statement`).
    """

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        int: BigInteger(),
        datetime: DateTime(timezone=True),
        Decimal: Numeric(20, 10),
        UUID: Uuid(),
        Json: JSONB(),
        list[str]: ARRAY(Text()),
        list[Json]: JSONB(),
    }
    node_type: ClassVar[str] = ""
    """The name of the graph's type whose objects are rows of this table; empty where it is not a node."""

    @property
    def global_id(self) -> str:
        """Relay's id of this row."""
        return global_id(self.node_type, self.id)  # type: ignore[attr-defined]


def table_of(kind: type[Base]) -> Table:
    """The table behind its class, for statements."""
    return cast("Table", kind.__table__)


def bounded(**longest: int) -> list[CheckConstraint]:
    """Checks that texts have at most so many characters, by column: what the edge refuses can never be stored."""
    return [
        CheckConstraint(f"char_length({column}) <= {length}", name=f"{column}_length")
        for column, length in longest.items()
    ]


def bounded_json(*columns: str, at_most: int = 8 * 1024 * 1024) -> list[CheckConstraint]:
    """Checks that JSON has at most so many bytes as PostgreSQL keeps it.

    Sixteen times the edge's bound of its text, of half a megabyte: a list of small numbers takes six times its text.
    """
    return [CheckConstraint(f"pg_column_size({column}) <= {at_most}", name=f"{column}_size") for column in columns]
