"""Mutations: one input, one payload; expected failures are data in it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol, TypeVar

import strawberry
from strawberry import UNSET, field
from strawberry.extensions import FieldExtension
from strawberry.types.field import StrawberryField

from app.core.clock import Stopwatch
from app.core.errors import AppError, ValidationError
from app.core.text import require_storable
from app.graph.context import Info
from app.graph.errors import UserError, user_error
from app.graph.inputs import as_sent

P = TypeVar("P", bound="Payload")


@strawberry.type(name="Warning", description="Something beside the work itself that failed; the work was done.")
class WarningType:
    code: str = field(description="A stable name.")
    message: str = field(description="What is missing, fit to be shown.")


@strawberry.interface(name="MutationPayload", description="What every mutation answers, beside what it changed.")
class Payload:
    success: bool = field(description="Whether it was done.")
    error: UserError | None = field(description="Why it was not done.")
    warnings: list[WarningType] = field(description="What went wrong beside it.")
    correlation_id: str = field(description="Finds this request in the log and in the audit trail.")
    processing_time_ms: float = field(description="How long it took on the server.")
    deduplicated: bool = field(description="Whether the same `clientKey` had done it before: this is the first answer.")


class CodedWarning(Protocol):
    """What a room knows of something that went wrong beside the work."""

    @property
    def code(self) -> str:
        """A stable name."""

    @property
    def message(self) -> str:
        """What is missing, fit to be shown."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What a mutation's resolver returns: the changed objects by their names in the payload."""

    objects: Mapping[str, object]
    deduplicated: bool = False
    warnings: Sequence[CodedWarning] = ()
    refused: AppError | None = None
    """Why it was not done, where the objects show what was in the way; else it is raised."""


def mutation(payload: type[P], description: str) -> Callable[[Callable[..., Any]], Any]:
    """A root mutation field: its resolver takes one `input` and returns `Changed`, or raises what the payload tells.

    What cannot be stored is refused before the resolver runs. Fields of the payload that were not changed are null.
    """

    def declare(resolver: Callable[..., Any]) -> Any:
        return strawberry.mutation(
            resolver, graphql_type=payload, description=description, extensions=[_Answering(payload)]
        )

    return declare


class _Answering(FieldExtension):
    """Turns what a resolver returns or raises into its payload."""

    def __init__(self, payload: type[Payload]) -> None:
        self._payload = payload
        common = {f.name for f in fields(Payload)}
        self._objects = [f.name for f in fields(payload) if f.name not in common]

    def apply(self, field: StrawberryField) -> None:
        """Called by Strawberry when it makes the field."""
        for argument in field.arguments:
            argument.description = "What is to be done; with a `clientKey`, once."

    async def resolve_async(self, next_: Any, source: Any, info: Info, **kwargs: Any) -> Payload:
        """Called by Strawberry in the resolver's place."""
        watch = Stopwatch()
        try:
            for name, value in as_sent(kwargs["input"]).items():
                require_storable(value, name)
            changed = await next_(source, info, **kwargs)
        except AppError as error:
            changed = Changed({}, refused=error)
        # The next field of the same request must not see what was loaded before this change.
        info.context.loaders.forget()
        return self._payload(
            success=changed.refused is None,
            error=user_error(changed.refused) if changed.refused else None,
            warnings=[WarningType(code=found.code, message=found.message) for found in changed.warnings],
            correlation_id=info.context.actor.correlation_id,
            processing_time_ms=watch.elapsed_ms(),
            deduplicated=changed.deduplicated,
            **{name: changed.objects.get(name) for name in self._objects},
        )


def given(input_: object, *names: str) -> dict[str, Any]:
    """Those fields of an input that the client sent, null included: what was left out is to stay as it is."""
    return {name: value for name in names if (value := getattr(input_, name)) is not UNSET}


def json_object(value: Any, place: str) -> dict[str, Any]:
    """A JSON object, empty for null; ValidationError naming `place` for any other JSON value."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValidationError(f"{place} must be a JSON object", field=place, hint='send {"name": "value"}')
    return value
