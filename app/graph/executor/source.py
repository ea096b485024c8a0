"""The source of a plan: one Python function for each selection, so that a row is completed without a loop.

Names of the schema are identifiers, and reach the source as such or by `repr`; values and functions are passed in by
name. Nothing that a client writes gets in but names of fields and aliases, which the parser has let through.
"""

from typing import Any

from graphql import GraphQLOutputType, is_abstract_type, is_leaf_type, is_list_type, is_non_null_type
from graphql.pyutils import is_awaitable

from app.graph.executor.leaves import leaf_of
from app.graph.executor.selections import Attribute, Field, Later, Selection, Typename
from app.graph.executor.surprise import Surprise

_STEP = "    "


class Source:
    """Writes the functions of one plan.

    The module that comes out has one function, `build`, which makes what one run needs: the function that completes the
    root field's value, and for each field that waits for its resolver the list of rows and of objects it gathers, and
    the function that puts its values into the objects.
    """

    def __init__(self) -> None:
        self.needs: dict[str, Any] = {"Surprise": Surprise, "is_awaitable": is_awaitable}
        """What the source names and does not make."""
        self.laters: list[Later] = []
        """The fields that wait, in the order of what `build` gives."""
        self._places: dict[int, int] = {}
        self._lines: list[str] = []
        self._written: dict[int, str] = {}
        self._bodies: dict[tuple[str, ...], str] = {}
        self._names = 0

    def module(self, field: Field) -> str:
        """All of it, for a root field."""
        root = self._completer(field.kind, field)
        # What the values of one lead to may wait, too: the list grows meanwhile.
        for n, later in enumerate(self.laters):
            self._put(n, later.field)
        gathered = [f"R{n}, D{n} = [], []" for n in range(len(self.laters))]
        given = ", ".join(f"(R{n}, D{n}, put{n})" for n in range(len(self.laters)))
        body = [*gathered, *self._lines, f"return {root}, [{given}]"]
        return "def build():\n" + "\n".join(_STEP + line for line in body) + "\n"

    def _put(self, n: int, field: Field) -> None:
        """The function that puts a field's values into the objects."""
        checks, written = self._completed(field.kind, field, "v")
        self._function(
            f"put{n}(objects, values)",
            "for d, v in zip(objects, values):",
            *(_STEP + check for check in checks),
            f"{_STEP}d[{field.key!r}] = {written}",
        )

    def _completer(self, kind: GraphQLOutputType, field: Field) -> str:
        """The name of a function that completes one value."""
        name = self._name("c")
        checks, written = self._completed(kind, field, "v")
        self._function(f"{name}(v)", *checks, f"return {written}")
        return name

    def _completed(self, kind: GraphQLOutputType, field: Field, v: str) -> tuple[list[str], str]:
        """The lines that test a value `v` of a type, and the expression that completes it."""
        if is_non_null_type(kind):
            return self._present(kind.of_type, field, v, None)
        return self._present(kind, field, v, f"{v} is None")

    def _present(self, kind: Any, field: Field, v: str, absent: str | None) -> tuple[list[str], str]:
        if is_leaf_type(kind):
            return self._leaf(kind, v, absent)
        checks: list[str] = []
        if is_list_type(kind):
            other = f"type({v}) is not list and type({v}) is not tuple"
            checks.append(f"if {other}{f' and {v} is not None' if absent else ''}: raise Surprise")
            written = self._list(kind.of_type, field, v)
        elif is_abstract_type(kind):
            written = f"{self._abstract(field)}({v})"
        else:
            written = f"{self._selection(field.selections[kind.name])}({v})"
        return checks, f"(None if {absent} else {written})" if absent else written

    def _leaf(self, kind: Any, v: str, absent: str | None) -> tuple[list[str], str]:
        leaf, name = leaf_of(kind), f"leaf_{kind.name}"
        self.needs |= {key.format(n=name): value for key, value in leaf.needs.items()}
        written = leaf.written.format(v=v, n=name)
        if leaf.nothing:
            # Written into the value's own place: what comes of it is tested.
            known = [f"if not ({leaf.test.format(v=v)}): raise Surprise"] if leaf.test else []
            nothing = " or ".join(f"{v} is {value}" for value in leaf.nothing)
            lines = [*known, f"{v} = {written}", f"if {nothing}: raise Surprise"]
            return (["if " + v + " is not None:", *(_STEP + line for line in lines)] if absent else lines), v
        assert leaf.test is not None  # noqa: S101 - a leaf is tested before, or after
        test = f"not ({leaf.test.format(v=v)})"
        if absent:
            shown = written if written == v else f"(None if {absent} else {written})"
            return [f"if {v} is not None and {test}: raise Surprise"], shown
        return [f"if {test}: raise Surprise"], written

    def _list(self, kind: GraphQLOutputType, field: Field, v: str) -> str:
        checks, written = self._completed(kind, field, "x")
        if not checks:
            return f"[{written} for x in {v}]"
        name = self._name("c")
        self._function(f"{name}(x)", *checks, f"return {written}")
        return f"[{name}(x) for x in {v}]"

    def _abstract(self, field: Field) -> str:
        name, variants = self._name("a"), self._name("v")
        known = ", ".join(f"{kind!r}: {self._selection(found)}" for kind, found in field.selections.items())
        self._lines.append(f"{variants} = {{{known}}}")
        self._function(f"{name}(o)", f"return {variants}[o.node_type](o)")
        return name

    def _selection(self, selection: Selection) -> str:
        """The name of the function that completes an object."""
        if selection.number in self._written:
            return self._written[selection.number]
        checks, cells, waiting = self._cells(selection)
        if selection.is_type_of is not None:
            known = self._name("is")
            self.needs[known] = selection.is_type_of
            checks.insert(0, f"if {known}(o, None) is not True: raise Surprise")
        # Who has an attribute is something, and is there.
        reads = any(isinstance(entry, Attribute) for entry in selection.entries)
        nothing = "" if reads else "o is None or is_awaitable(o) or "
        checks.insert(0, f"if {nothing}isinstance(o, Exception): raise Surprise")
        shown = "{" + ", ".join(cells) + "}"
        body = (*checks, f"return {shown}")
        if waiting:
            gathering = [f"rows{n}(o); objects{n}(d)" for n in waiting]
            body = (*checks, f"d = {shown}", *gathering, "return d")
        # Types of an interface often have all in common that is selected of them.
        if body not in self._bodies:
            self._bodies[body] = f"r{selection.number}"
            self._function(f"r{selection.number}(o)", *body)
        self._written[selection.number] = self._bodies[body]
        return self._bodies[body]

    def _cells(self, selection: Selection) -> tuple[list[str], list[str], list[int]]:
        checks: list[str] = []
        cells: list[str] = []
        waiting: list[int] = []
        for place, entry in enumerate(selection.entries):
            match entry:
                case Attribute(name, field):
                    v = f"v{place}"
                    checks.append(f"{v} = o.{name}")
                    tests, written = self._completed(field.kind, field, v)
                    checks += tests
                    cells.append(f"{field.key!r}: {written}")
                case Later():
                    cells.append(f"{entry.field.key!r}: None")
                    waiting.append(self._later(entry))
                case Typename(key, typename):
                    cells.append(f"{key!r}: {typename!r}")
        return checks, cells, waiting

    def _later(self, later: Later) -> int:
        if later.number not in self._places:
            n = self._places[later.number] = len(self.laters)
            self.laters.append(later)
            self._lines.append(f"rows{n}, objects{n} = R{n}.append, D{n}.append")
        return self._places[later.number]

    def _function(self, head: str, *body: str) -> None:
        self._lines.append(f"def {head}:")
        self._lines += [_STEP + line for line in body]

    def _name(self, kind: str) -> str:
        self._names += 1
        return f"{kind}{self._names}"
