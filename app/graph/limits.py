"""What a document may come to at most, and how it is told that it comes to more."""

from graphql import DocumentNode

from app.core.errors import LimitExceeded
from app.core.settings.limits import LimitSettings
from app.graph.measuring import measure

MOST_TOLD = 1_000_000_000
"""Fragments that double each other add up to numbers that JSON's readers do not know."""

_HINTS = {
    "depth": ("fields inside each other", "ask for what lies deeper by its id"),
    "aliases": ("aliases", "send several operations"),
    "directives": ("directives", "send several operations"),
    "root_fields": ("fields at its top", "send several operations"),
    "fields": ("fields, its fragments written out", "send several operations"),
    "introspection_depth": ("fields inside each other below __schema", "follow `ofType` less far"),
}
_SETTINGS = {
    "depth": "max_document_depth",
    "aliases": "max_document_aliases",
    "directives": "max_document_directives",
    "root_fields": "max_root_fields",
    "fields": "max_document_fields",
    "introspection_depth": "max_introspection_depth",
}


class DocumentTooLarge(LimitExceeded):
    """A document that is refused for its size alone; `details` name the limit, what was asked and what is allowed."""

    def __init__(self, limit: str, what: str, allowed: int, asked: int | None, hint: str) -> None:
        number = f"over {allowed:,}" if asked is None or asked > MOST_TOLD else f"{asked:,}"
        told = None if asked is None else min(asked, MOST_TOLD)
        super().__init__(
            f"the document has {number} {what}; {allowed:,} are allowed",
            field="query",
            hint=hint,
            details={"limit": limit, "asked": told, "allowed": allowed},
        )


class OperationTooCostly(LimitExceeded):
    """An operation that may return more objects than are given at once."""

    def __init__(self, cost: int, limit: int) -> None:
        cost = min(cost, MOST_TOLD)
        super().__init__(
            f"the operation costs up to {cost:,}; {limit:,} is allowed",
            field="query",
            hint="say how many of each list, with first, last or limit, or ask for less at once",
            details={"cost": cost, "limit": limit},
        )


def require_length(text: str, limits: LimitSettings) -> None:
    """Raise DocumentTooLarge for a text that is not even read."""
    if len(text) > limits.max_document_characters:
        hint = "pass what is long as a variable"
        raise DocumentTooLarge("characters", "characters", limits.max_document_characters, len(text), hint)


def require_measure(document: DocumentNode, limits: LimitSettings) -> None:
    """Raise DocumentTooLarge for the first limit that a document passes, before it is looked at any further."""
    found = measure(document)
    for limit, (what, hint) in _HINTS.items():
        asked, allowed = getattr(found, limit), getattr(limits, _SETTINGS[limit])
        if asked > allowed:
            raise DocumentTooLarge(_camel(limit), what, allowed, asked, hint)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)
