"""What a document comes to: found in one pass, and the same as when its fragments are written out."""

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st

from app.graph.measuring import INTROSPECTION, Measure, measure

Spreads = dict[str, FragmentDefinitionNode]


def naive(text: str) -> Measure:
    """The measure of each operation with every fragment walked wherever it is spread."""
    document = parse(text)
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
    found = [
        walked(d.selection_set, fragments, 0, None)
        for d in document.definitions
        if isinstance(d, OperationDefinitionNode)
    ]
    return Measure(*(max(numbers) for numbers in zip(*found, strict=True)))


def walked(selections: SelectionSetNode, fragments: Spreads, depth: int, inside: int | None) -> tuple[int, ...]:
    """Depth, aliases, directives, root fields, fields and depth of introspection below a selection."""
    deepest = aliases = directives = roots = fields = introspected = 0
    for node in selections.selections:
        directives += len(node.directives or ())
        inner: tuple[int, ...] = (0,) * 6
        if isinstance(node, FieldNode):
            fields, aliases, roots = fields + 1, aliases + (node.alias is not None), roots + (depth == 0)
            below = inside + 1 if inside is not None else 0 if node.name.value in INTROSPECTION else None
            deepest, introspected = max(deepest, depth + 1), max(introspected, below or 0)
            if node.selection_set:
                inner = walked(node.selection_set, fragments, depth + 1, below)
        elif isinstance(node, FragmentSpreadNode):
            directives += len(fragments[node.name.value].directives or ())
            inner = walked(fragments[node.name.value].selection_set, fragments, depth, inside)
        else:
            inner = walked(node.selection_set, fragments, depth, inside)  # type: ignore[attr-defined]
        deepest, introspected = max(deepest, inner[0]), max(introspected, inner[5])
        aliases, directives, roots, fields = (
            aliases + inner[1],
            directives + inner[2],
            roots + inner[3],
            fields + inner[4],
        )
    return deepest, aliases, directives, roots, fields, introspected


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Small documents of one or two operations and up to four fragments, each of which names only later ones."""
    amount = draw(st.integers(0, 4))

    def selection(later: int, levels: int) -> str:
        return "{ " + " ".join(draw(st.lists(node(later, levels), min_size=1, max_size=3))) + " }"

    @st.composite
    def node(inner: st.DrawFn, later: int, levels: int) -> str:
        directive = inner(st.sampled_from(["", "", " @a", " @a @b"]))
        kinds = [
            "field",
            "alias",
            *(["nested", "inline", "schema"] if levels else []),
            *(["spread"] if later < amount else []),
        ]
        match inner(st.sampled_from(kinds)):
            case "field":
                return f"x{directive}"
            case "alias":
                return f"y: x{directive}"
            case "nested":
                return f"z{directive} {selection(later, levels - 1)}"
            case "inline":
                return f"...{directive} {selection(later, levels - 1)}"
            case "schema":
                return f"__schema{directive} {selection(later, levels - 1)}"
            case _:
                return f"...F{inner(st.integers(later, amount - 1))}{directive}"

    fragments = [f"fragment F{n} on T{draw(st.sampled_from(['', ' @c']))} {selection(n + 1, 2)}" for n in range(amount)]
    operations = [f"query O{n} {selection(0, 2)}" for n in range(draw(st.integers(1, 2)))]
    return "\n".join(draw(st.permutations([*fragments, *operations])))


@given(documents())
def test_it_is_that_of_the_document_written_out(text: str) -> None:
    assert measure(parse(text)) == naive(text)


def test_fragments_inside_themselves_are_measured_once() -> None:
    text = "{ ...A ...Unknown } fragment A on T { a { ...B } } fragment B on T { b ...A ...B }"

    found = measure(parse(text))

    assert (found.root_fields, found.fields, found.depth) == (1, 2, 2)


def test_doubled_fragments_are_counted_and_not_walked() -> None:
    levels = " ".join(f"fragment F{n} on T {{ a: x ...F{n + 1} ...F{n + 1} }}" for n in range(300))

    found = measure(parse(f"{{ ...F0 }} {levels} fragment F300 on T {{ a: x }}"))

    assert found.aliases == 2**301 - 1


def test_the_directives_of_definitions_count() -> None:
    text = "query ($a: Int @x) @y { ...F } fragment F on T @z { a }"

    assert measure(parse(text)).directives == 3
