"""What can be wrong with what rooms hand to the graph: the same for whoever asks, by a seed and the place."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import is_dataclass, replace
from hashlib import blake2b
from inspect import isawaitable
from random import Random
from typing import Any

from graphql import GraphQLResolveInfo

from app.core.actor import Actor
from app.core.errors import ValidationError
from app.core.paging import Page
from app.db.scopes import ReadScope
from app.graph.context import Context
from app.graph.loading import Loader, Loaders
from app.graph.schema import Schema, build_schema


class Something:
    """Nothing that any type is made of, though it can be gone through."""

    def __iter__(self) -> Iterator[object]:
        return iter(["x", None])

    def __repr__(self) -> str:
        return "something"


WRONG: Mapping[str, Callable[[], Any]] = {
    "null": lambda: None,
    "text": lambda: "text",
    "empty text": lambda: "",
    "number": lambda: 7,
    "too large": lambda: 2**40,
    "beyond 64 bits": lambda: -(2**70),
    "no number": lambda: float("nan"),
    "endless": lambda: float("inf"),
    "fraction": lambda: 1.5,
    "truth": lambda: True,
    "object": lambda: {"id": "x", "nodes": [], "node_type": "Run"},
    "list": lambda: ["x", None, 1],
    "empty list": list,
    "tuple": lambda: ("x",),
    "bytes": lambda: b"\xff",
    "half a character": lambda: "a\ud800b",
    "not UTF-8": lambda: "\udcff",
    "something": lambda: Something(),
    "error": lambda: RuntimeError("an error as a value"),
    "refusal": lambda: ValidationError("a refusal as a value", field="value", hint="none"),
}
"""In the place of a value, whatever the schema says that it is."""

RAISED: Mapping[str, Callable[[], Exception]] = {
    "raises": lambda: RuntimeError("it was raised"),
    "refuses": lambda: ValidationError("it was refused", field="read"),
    "is not there": lambda: AttributeError("no such attribute"),
}
"""Instead of a value."""

NAMES_OF_ROWS = ("id", "tenant_id", "node_type")
"""What tells rows apart, and loaders their keys: only `node_type` is spoiled, by a name that is another's."""

TYPES = ("Run", "ChatSession", "NoSuchType", "Node", "", None, 5)
"""What a row says its type is."""


class Faults:
    """Which places are wrong, and how; `rate` of all, and none where that is 0."""

    def __init__(self, seed: int, rate: float) -> None:
        self._seed = seed
        self.rate = rate
        self.made = 0

    def at(self, *place: object) -> Random | None:
        """What decides how a place is wrong; None where it is right."""
        told = blake2b(repr((self._seed, *place)).encode(errors="replace"), digest_size=8)
        chance = Random(told.digest())
        if chance.random() >= self.rate:
            return None
        self.made += 1
        return chance

    def value(self, found: Any, *place: object) -> Any:
        """What is found at a place, or what stands there instead; rows and pages are looked into as they are read."""
        chance = self.at("value", *place)
        if chance is not None:
            return WRONG[chance.choice(list(WRONG))]()
        if isinstance(found, list):
            return [self.value(item, *place, index) for index, item in enumerate(found)]
        if isinstance(found, Page):
            return self._page(found, place)
        return self._row(found, place) if is_row(found) else found

    def _page(self, found: Page[Any], place: tuple[object, ...]) -> Page[Any]:
        async def count() -> int:
            self.raised("count", *place)
            return self.attribute(await found.count(), "count", *place)  # type: ignore[no-any-return]

        def cursor_of(row: Any) -> str:
            real = right(row)
            known = identity(real, place)
            self.raised("cursor", known)
            return self.attribute(found.cursor_of(real), "cursor", known)  # type: ignore[no-any-return]

        return replace(
            found,
            nodes=self.value(found.nodes, *place, "nodes"),
            has_next_page=self.attribute(found.has_next_page, "next", *place),
            cursor_of=cursor_of, count=count,
        )  # fmt: skip

    def _row(self, found: Any, place: tuple[object, ...]) -> Any:
        """A row that is wrong in parts: one of its own class with other values, or one that is asked for each."""
        known = identity(found, place)
        names = getattr(found, "_fields", None)
        if names is None or Random(repr(known)).random() < 0.5:
            return Spoiled(found, self, known)
        return found._replace(
            **{name: self.attribute(getattr(found, name), name, known) for name in names if spoils(name)}
        )

    def attribute(self, found: Any, *place: object) -> Any:
        """A plain value, or what stands there instead."""
        chance = self.at("attribute", *place)
        return found if chance is None else WRONG[chance.choice(list(WRONG))]()

    def raised(self, *place: object) -> None:
        """Raise where a place does."""
        chance = self.at("raised", *place)
        if chance is not None:
            raise RAISED[chance.choice(list(RAISED))]()


class Spoiled:
    """A row, some of whose attributes are wrong, raise or are not there."""

    __slots__ = ("_faults", "_known", "_real")

    def __init__(self, real: Any, faults: Faults, known: object) -> None:
        self._real = real
        self._faults = faults
        self._known = known

    def __getattr__(self, name: str) -> Any:
        real, faults = self._real, self._faults
        found = getattr(real, name)
        if name == "node_type":
            chance = faults.at("type", self._known)
            return found if chance is None else chance.choice(TYPES)
        if not spoils(name) or callable(found):
            return found
        place = (name, self._known)
        faults.raised(*place)
        return faults.value(found, *place) if holds_rows(found) else faults.attribute(found, *place)

    def __eq__(self, other: object) -> bool:
        return bool(self._real == right(other))

    def __hash__(self) -> int:
        return hash(self._real)

    def __repr__(self) -> str:
        return f"Spoiled({self._real!r})"


def spoils(name: str) -> bool:
    """Whether an attribute may be wrong: not those by which others are loaded, or whole batches would fail."""
    return name not in NAMES_OF_ROWS and not name.endswith("_id")


def is_row(found: Any) -> bool:
    """Whether a value has attributes that fields read."""
    return hasattr(found, "_fields") or (is_dataclass(found) and not isinstance(found, type))


def holds_rows(found: Any) -> bool:
    """Whether rows are in a value, or it is one."""
    return is_row(found) or (isinstance(found, list) and any(map(is_row, found)))


def identity(row: Any, place: tuple[object, ...]) -> object:
    """What tells a row from others: its id, or where it was found when it has none."""
    return (type(row).__name__, row.id) if hasattr(row, "id") else (type(row).__name__, *place)


def right(found: Any) -> Any:
    """What is in the place of a row that is spoiled as it is read; anything else itself."""
    return found._real if isinstance(found, Spoiled) else found


def right_key(key: Any) -> Any:
    """A loader's key, with the rows in it as they were."""
    return type(key)(*map(right, key)) if isinstance(key, tuple) and hasattr(key, "_fields") else right(key)


class SpoiledLoaders(Loaders):
    """The request's loaders, of which some fail for some keys, some as a whole, and some load what is wrong."""

    __slots__ = ("_spoiled", "faults")

    def __init__(self, context: Context, faults: Faults) -> None:
        super().__init__(context.database, context.actor)
        self.faults = faults
        self._spoiled: dict[type[Any], type[Any]] = {}

    def of(self, kind: type[Any]) -> Any:
        """The loader of a class, spoiled."""
        if kind not in self._spoiled:
            self._spoiled[kind] = spoiled(kind)
        return super().of(self._spoiled[kind])


def spoiled(kind: Any) -> type[Loader[Any, Any]]:
    """A class of loaders that does the same, and hands out what is wrong."""

    async def fetch(self: Any, scope: ReadScope, actor: Actor, keys: list[Any]) -> list[Any]:
        faults: Faults = self.loaders.faults
        faults.raised("loader", kind.__name__)
        found = await each_by_itself(
            lambda some: kind.fetch(self, scope, actor, some), [right_key(key) for key in keys]
        )
        places = [("loaded", kind.__name__, repr(right_key(key))) for key in keys]
        return [
            value if isinstance(value, Exception) else faults.value(value, *place)
            for value, place in zip(found, places, strict=True)
        ]

    return type(kind.__name__, (kind,), {"fetch": fetch})


async def each_by_itself(fetch: Callable[[list[Any]], Awaitable[Any]], keys: list[Any]) -> list[Any]:
    """What is fetched, of each key whatever becomes of the others: how keys are batched is no part of an answer."""
    try:
        return list(await fetch(keys))
    except Exception:
        found: list[Any] = []
        for key in keys:
            try:
                found += await fetch([key])
            except Exception as error:
                found.append(error)
        return found


def spoil(faults: Faults, context: Context) -> Context:
    """Have an operation find what is wrong; where nothing is, its context stays as it is."""
    if not faults.rate:
        return context
    context.loaders = SpoiledLoaders(context, faults)
    context.services = {**context.services, Faults: faults}
    return context


def with_spoiled_roots(schema: Schema) -> Schema:
    """A schema of the same types, whose root fields hand out what is wrong where the operation is to find it."""
    made = build_schema(schema.query, schema.mutation, schema.subscription)
    query = made.core.query_type
    assert query is not None
    for name, definition in query.fields.items():
        # What these load is spoiled by their loaders.
        if name not in ("node", "nodes"):
            definition.resolve = _spoiled_root(name, definition.resolve)
    return made


def _spoiled_root(name: str, resolve: Any) -> Any:
    async def resolved(source: Any, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        found = resolve(source, info, **arguments)
        if isawaitable(found):
            found = await found
        faults: Faults | None = info.context.services.get(Faults)
        if faults is None:
            return found
        faults.raised("root", name)
        return faults.value(found, "root", name)

    return resolved
