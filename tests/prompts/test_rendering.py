"""What a prompt's text may say of its variables, and how their values stand in it."""

from typing import Any

import pytest

from app.core.errors import ValidationError
from app.prompts.rendering import check_text, render, unused, variables_in
from app.prompts.values import Text, Variable, VariableType

BOUND = 1_000_000


def declared(*names: str, type_: VariableType = VariableType.TEXT) -> tuple[Variable, ...]:
    return tuple(Variable(name, type_) for name in names)


def text(content: str, *variables: Variable) -> Text:
    return Text("a prompt", content, variables=variables)


def test_a_variable_is_rendered_with_its_value() -> None:
    content = "Translate {{ text }} into {{language}}:\n{{\n text\t}}"

    rendered = render(
        content, declared("text", "language"), {"text": "Guten Tag", "language": "English"}, at_most=BOUND
    )

    assert rendered == "Translate Guten Tag into English:\nGuten Tag"
    assert variables_in(content) == ["text", "language"]


def test_a_value_is_never_rendered_again() -> None:
    values = {"a": "{{b}} {{a}} $b ${b} \\g<0> <b>&amp;\r\n", "b": "secret"}

    assert render("{{a}}", declared("a", "b"), values, at_most=BOUND) == values["a"]


@pytest.mark.parametrize(
    ("type_", "value", "rendered"),
    [
        (VariableType.INTEGER, 1, "1"),
        (VariableType.INTEGER, -(2**63), "-9223372036854775808"),
        (VariableType.NUMBER, 1, "1"),
        (VariableType.NUMBER, 1.0, "1.0"),
        (VariableType.NUMBER, 0.1, "0.1"),
        (VariableType.BOOLEAN, True, "true"),
        (VariableType.BOOLEAN, False, "false"),
        (VariableType.TEXT, "", ""),
        (VariableType.JSON, {"b": [1, None, "ü\n"], "a": {}}, '{"a":{},"b":[1,null,"ü\\n"]}'),
        (VariableType.JSON, "a", '"a"'),
        (VariableType.JSON, None, "null"),
    ],
)
def test_each_type_has_its_way(type_: VariableType, value: object, rendered: str) -> None:
    assert render("{{x}}", declared("x", type_=type_), {"x": value}, at_most=BOUND) == rendered


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (VariableType.TEXT, 1),
        (VariableType.TEXT, ["a"]),
        (VariableType.INTEGER, True),
        (VariableType.INTEGER, 1.0),
        (VariableType.INTEGER, "1"),
        (VariableType.INTEGER, 2**64),
        (VariableType.NUMBER, False),
        (VariableType.NUMBER, float("nan")),
        (VariableType.NUMBER, float("inf")),
        (VariableType.BOOLEAN, 0),
        (VariableType.BOOLEAN, "true"),
        (VariableType.TEXT, "a\0"),
        (VariableType.TEXT, "\ud800"),
        (VariableType.JSON, {"a": "\ud800"}),
        (VariableType.JSON, {1: "a"}),
        (VariableType.JSON, {"a", "b"}),
        (VariableType.JSON, object()),
    ],
)
def test_a_value_of_another_type_is_refused_by_name(type_: VariableType, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        render("{{x}}", declared("x", type_=type_), {"x": value}, at_most=BOUND)

    assert (refused.value.field or "").startswith("variables.x")
    assert refused.value.hint


def test_a_value_that_is_missing_is_refused_and_all_of_them_are_named() -> None:
    with pytest.raises(ValidationError) as refused:
        render("{{a}}{{b}}{{c}}", declared("a", "b", "c"), {"a": "1", "c": None}, at_most=BOUND)

    assert refused.value.field == "variables.b"
    assert refused.value.message == "no value is given for b, c"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"a": "1", "b": "2"}, "variables.b"),
        ({"a": "1", "b-\ud800": "2"}, "variables"),
        ({"a": "1", 3: "2"}, "variables"),
    ],
)
def test_a_value_for_no_variable_is_refused(values: dict[Any, str], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        render("{{a}}", declared("a"), values, at_most=BOUND)

    assert refused.value.field == field
    assert refused.value.message.encode()


def test_defaults_stand_in_and_what_is_optional_may_be_left_out() -> None:
    variables = (
        Variable("tone", default="kind"),
        Variable("more", required=False),
        Variable("example", VariableType.JSON, required=False),
    )

    assert render("[{{tone}}|{{more}}|{{example}}]", variables, {}, at_most=BOUND) == "[kind||]"
    assert render("[{{tone}}|{{more}}]", variables, {"tone": None, "more": None}, at_most=BOUND) == "[kind|]"
    assert render("[{{tone}}|{{example}}]", variables, {"tone": "", "example": None}, at_most=BOUND) == "[|null]"


def test_a_result_is_bounded_before_it_is_made() -> None:
    content = "{{x}}" * 2_000

    with pytest.raises(ValidationError) as refused:
        render(content, declared("x"), {"x": "y" * 1_000_000}, at_most=1_000_000)

    assert refused.value.field == "variables"
    assert "2,000,000,000 characters" in refused.value.message
    assert len(render(content, declared("x"), {"x": "y" * 500}, at_most=1_000_000)) == 1_000_000


def test_a_value_longer_than_any_result_is_refused_also_where_it_is_not_used() -> None:
    with pytest.raises(ValidationError) as refused:
        render("nothing", declared("x"), {"x": "y" * 101}, at_most=100)

    assert refused.value.field == "variables.x"


@pytest.mark.parametrize(
    "content",
    [
        "{{ x.__class__ }}",
        "{{''.__class__}}",
        "{{x()}}",
        "{{x[0]}}",
        "{{x|upper}}",
        "{{#x}}a{{/x}}",
        "{{^x}}a{{/x}}",
        "{{/x}}",
        "{{> x}}",
        "{{! x }}",
        "{{& x}}",
        "{{{x}}}",
        "{{=<% %>=}}<%x%>",
        "{{.}}",
        "{{}}",
        "{{ }}",
        "{{",
        "{{x",
        "{{x}",
        "{{x} }",
        "{{x y}}",
        "{{-x-}}",
        "{{1x}}",
        "{{größe}}",
        "{{\u017f}}",
        "{{\u212a}}",
        "{{x\u00a0}}",
        "{{x\0}}",
        "{{" + "x" * 65 + "}}",
        "{{" + "9" * 9_000 + "}}",
        "{" * 9_998,
        "{{" + " " * 9_998,
        "{{x}}" * 1_999 + "{{{x}}",
    ],
)
def test_a_tag_that_is_no_plain_variable_is_refused_at_its_place(content: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check_text(text(content, *declared("x", "K", "s")))

    assert refused.value.field == "content"
    assert "at line 1, column" in refused.value.message
    assert len(refused.value.message) < 200
    assert "four opening braces" in (refused.value.hint or "")


def test_what_cannot_be_stored_is_not_rendered_either() -> None:
    for content in ("{{ x.y }}", "{{other}}"):
        with pytest.raises(ValidationError) as refused:
            render(content, declared("x"), {"x": "1"}, at_most=BOUND)

        assert refused.value.field == "content"


@pytest.mark.parametrize(
    "content",
    [
        "{% include 'secret' %}",
        "{% for x in y %}",
        "<%= x %> ${x} $x {x} %(x)s",
        '{"a":{"b":1}}',
        "}}",
        "{ {x}}",
        "{x}}{",
        "a\r\nb\rc\u2028d",
    ],
)
def test_what_only_looks_like_a_template_is_text(content: str) -> None:
    check_text(text(content))

    assert render(content, (), {}, at_most=BOUND) == content


@pytest.mark.parametrize(
    ("content", "rendered"),
    [
        ("In Jinja one writes {{{{ name }}.", "In Jinja one writes {{ name }}."),
        ("{{{{{{x}}}}", "{{1}}"),
        ("{{{{x}}{{x}}", "{{x}}1"),
        ("{" * 10_000, "{" * 5_000),
    ],
)
def test_four_opening_braces_stand_for_two(content: str, rendered: str) -> None:
    check_text(text(content, *declared("x")))

    assert render(content, declared("x"), {"x": "1"}, at_most=len(rendered)) == rendered
    with pytest.raises(ValidationError):
        render(content, declared("x"), {"x": "1"}, at_most=len(rendered) - 1)


def test_a_place_is_told_by_line_and_column() -> None:
    with pytest.raises(ValidationError) as refused:
        check_text(text("first {{x}}\nsecond\n  {{#items}}{{.}}", *declared("x")))

    assert refused.value.message.startswith("content has {{ at line 3, column 3 ")
    assert refused.value.message.endswith(": {{#items}}")


def test_a_variable_that_is_used_is_declared() -> None:
    with pytest.raises(ValidationError) as refused:
        check_text(text("{{x}} and\n {{y}}", *declared("x")))

    assert refused.value.field == "content"
    assert "variable y at line 2, column 2" in refused.value.message


def test_a_variable_that_is_not_used_is_allowed_and_told() -> None:
    written = text("{{x}}", *declared("x", "y"))

    check_text(written)

    assert unused(written) == ["y"]


@pytest.mark.parametrize(
    ("variables", "field"),
    [
        ((Variable("a b"),), "variables[0].name"),
        ((Variable(""),), "variables[0].name"),
        ((Variable("x"), Variable("ä")), "variables[1].name"),
        ((Variable("x\n"),), "variables[0].name"),
        ((Variable("x" * 65),), "variables[0].name"),
        ((Variable("x"), Variable("x")), "variables[1].name"),
        ((Variable("x", default=1),), "variables[0].default"),
        ((Variable("x", VariableType.INTEGER, default="1"),), "variables[0].default"),
        ((Variable("x", default="y" * 10_001),), "variables[0].default"),
        ((Variable("x", description="y" * 1_001),), "variables[0].description"),
        ((Variable("x", description="\0"),), "variables[0].description"),
        (tuple(Variable(f"x{n}") for n in range(51)), "variables"),
        (tuple(Variable(f"x{n}", default="y" * 9_000) for n in range(20)), "variables"),
    ],
)
def test_declarations_are_well_formed(variables: tuple[Variable, ...], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check_text(text("content", *variables))

    assert refused.value.field == field
    assert refused.value.hint
