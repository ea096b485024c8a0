"""What holds of every prompt and every value, whatever is in them."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import AppError, ValidationError
from app.prompts.rendering import check_text, render, variables_in
from app.prompts.values import Text, Variable, VariableType

BOUND = 1_000_000
TAG = r"\{\{\{\{|\{\{[ \n]*(x|y|_|xy)[ \n]*\}\}"
NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,9}", fullmatch=True)
STORABLE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
BRACED = st.text(st.sampled_from("{}x y_#>.\n%|'"), max_size=40)
PROSE = st.text(max_size=40).filter(lambda text: "{" not in text)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(PROSE | STORABLE.filter(lambda text: "{{" not in text))
def test_a_text_without_double_braces_is_rendered_as_itself(content: str) -> None:
    check_text(Text("n", content))

    assert render(content, (), {}, at_most=BOUND) == content


@given(st.lists(PROSE, min_size=2, max_size=6), st.lists(st.tuples(NAMES, STORABLE | BRACED), max_size=5))
def test_values_stand_in_the_text_exactly_as_they_were_given(prose: list[str], pairs: list[tuple[str, str]]) -> None:
    values = dict(pairs)
    variables = tuple(Variable(name) for name in values)
    pieces = [(name, prose[index % len(prose)]) for index, name in enumerate(values)]
    content = "".join(f"{between}{{{{{name}}}}}" for name, between in pieces)
    check_text(Text("n", content, variables=variables))

    rendered = render(content, variables, values, at_most=BOUND)

    assert rendered == "".join(f"{between}{values[name]}" for name, between in pieces)
    assert variables_in(content) == list(values)


@given(NAMES, st.text(max_size=12), JSON)
def test_a_value_for_no_variable_is_always_refused(declared: str, other: str, value: object) -> None:
    if other == declared:
        other += "_"
    with pytest.raises(ValidationError):
        render("{{" + declared + "}}", (Variable(declared),), {declared: "1", other: value}, at_most=BOUND)


@given(st.sets(NAMES, min_size=1, max_size=5), st.data())
def test_a_value_that_is_required_and_missing_is_always_refused(names: set[str], data: st.DataObject) -> None:
    missing = data.draw(st.sampled_from(sorted(names)))
    variables = tuple(Variable(name) for name in sorted(names))

    with pytest.raises(ValidationError) as refused:
        render("text", variables, {name: "1" for name in names if name != missing}, at_most=BOUND)

    assert refused.value.field == f"variables.{missing}"


@settings(max_examples=300)
@given(BRACED | st.text(max_size=40), st.sampled_from(VariableType), JSON, JSON, st.booleans())
def test_nothing_but_a_refusal_comes_of_any_text_and_any_value(
    content: str, type_: VariableType, value: object, default: object, required: bool
) -> None:
    variables = (Variable("x", type_, None, required, default), Variable("y", type_))
    refusal = _refusal(lambda: check_text(Text("n", content, variables=variables)))

    if refusal is None:
        made: list[str] = []
        refusal = _refusal(lambda: made.append(render(content, variables, {"x": value, "y": value}, at_most=50)))
        assert all(len(rendered) <= 50 for rendered in made)
        assert refusal is None or (refusal.field or "").startswith("variables")
    assert refusal is None or refusal.message.encode()


def _refusal(attempt: Callable[[], None]) -> AppError | None:
    try:
        attempt()
    except AppError as refused:
        return refused
    return None


@given(BRACED)
def test_what_is_accepted_has_no_other_double_braces(content: str) -> None:
    variables = tuple(Variable(name) for name in ("x", "y", "_", "xy"))
    plain = re.sub(TAG, lambda found: "{{" if found[1] is None else "", content)
    try:
        check_text(Text("n", content, variables=variables))
    except ValidationError:
        assert "{{" in content
    else:
        assert variables_in(content) == list(dict.fromkeys(name for name in re.findall(TAG, content) if name))
        assert render(content, variables, dict.fromkeys(("x", "y", "_", "xy"), ""), at_most=BOUND) == plain
