"""Variables of a prompt: what its text may say of them, and the text with their values in it.

The language is the least there is: `{{name}}` stands for the value of a declared variable, `{{{{` for two braces, and
all other text for itself.
It is rendered by `string.Template` of the standard library with this one pattern, in one pass and in linear time: a
value is text that is put in its place and never looked at again, and there is nothing to reach but the texts of values.

Weighed and not taken: python-liquid 2.3, whose lexer takes seven seconds for ten thousand opening braces, also without
any tags and filters; mstache 0.4, whose Mustache is linear, but looks names up in attributes and virtual properties,
calls what can be called, escapes for HTML, and would need this module's check of every tag all the same.
"""

import re
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

import orjson

from app.core.errors import ValidationError
from app.core.text import require_count, require_json_size, require_length, require_storable, storable
from app.prompts.values import LARGEST_VARIABLES_BYTES, MOST_VARIABLES, Text, Variable, VariableType

LONGEST_VARIABLE_DESCRIPTION = 1_000
LONGEST_DEFAULT = 10_000
"""Characters of a default as it is rendered: as many as the longest prompt has."""

_NAME = re.compile("[a-zA-Z_][a-zA-Z0-9_]{0,63}")
_BRACES = "write {{name}} for a variable, and four opening braces where two are to be in the text"
_LONGEST_SHOWN = 40
"""Characters of a refused tag that are shown."""


_PATTERN = r"""
    \{\{(?:
        (?P<escaped>\{\{)
        |[ \t\r\n]*+(?P<named>[a-zA-Z_][a-zA-Z0-9_]{0,63}+)[ \t\r\n]*+\}\}
        |(?P<invalid>)
        |(?P<braced>(?!))
    )
"""
_TAG = re.compile(_PATTERN, re.VERBOSE)


class _Template(string.Template):
    """`{{name}}`, with spaces and line breaks around the name as one likes, and `{{{{`. All else with `{{` is wrong."""

    delimiter = "{{"
    pattern = _PATTERN  # type: ignore[assignment] # typeshed declares what the class makes of it
    # Without the class's own flag for both cases, which takes letters such as U+017F for ASCII ones.
    flags = re.ASCII


@dataclass(frozen=True, slots=True)
class _Tag:
    """Where a content says `{{`, and the variable that is meant; None where it is none."""

    at: int
    end: int
    name: str | None


def check_text(text: Text) -> None:
    """Raise ValidationError, naming the member, unless the variables are well declared and the content uses only them.

    A variable that is declared and not used is allowed: see `unused`.
    """
    check_variables(text.variables)
    declared = {variable.name for variable in text.variables}
    for tag in _tags(text.content):
        if tag.name is None:
            raise _no_variable(text.content, tag)
        if tag.name not in declared:
            raise ValidationError(
                f"content uses the variable {tag.name} at {_place(text.content, tag.at)}, which is not declared",
                field="content",
                hint="declare it in variables, or " + _BRACES,
            )


def check_variables(variables: tuple[Variable, ...]) -> None:
    """Raise ValidationError, naming the member, for declarations that cannot be stored or rendered."""
    require_count(len(variables), "variables", at_most=MOST_VARIABLES)
    seen: set[str] = set()
    for index, variable in enumerate(variables):
        field = f"variables[{index}]"
        _check_name(variable.name, f"{field}.name", seen)
        if variable.description is not None:
            require_storable(variable.description, f"{field}.description")
            require_length(variable.description, f"{field}.description", at_most=LONGEST_VARIABLE_DESCRIPTION)
        if variable.default is not None:
            _shown(variable, variable.default, f"{field}.default", LONGEST_DEFAULT)
    require_json_size([v.as_json() for v in variables], "variables", at_most=LARGEST_VARIABLES_BYTES)


def variables_in(content: str) -> list[str]:
    """The names of the variables that a content uses, each once, in their order. What is no variable is left out."""
    return list(dict.fromkeys(tag.name for tag in _tags(content) if tag.name is not None))


def unused(text: Text) -> list[str]:
    """The declared variables that the content does not use: perhaps misspelt, and worth a warning."""
    used = set(variables_in(text.content))
    return [variable.name for variable in text.variables if variable.name not in used]


def render(content: str, variables: tuple[Variable, ...], values: Mapping[str, Any], *, at_most: int) -> str:
    """A content that `check_text` accepted, with the values of its variables in it; at most so many characters.

    A text is put in as it is, numbers, booleans and JSON as compact JSON with sorted keys: 1 is `1`, true is `true`.
    A variable that is given no value, or null where JSON is not its type, gets its default; one without a default
    gets no text at all, and is missing where it is required. ValidationError naming `variables.<name>`: unknown,
    missing, of another type, too long.
    """
    _require_known(variables, values)
    _require_given(variables, values)
    texts = {v.name: _text_of(v, values.get(v.name), at_most, given=v.name in values) for v in variables}
    _require_room(content, texts, at_most)
    try:
        return _Template(content).substitute(texts)
    except (ValueError, KeyError):
        # A content that was never checked.
        raise ValidationError(
            "the prompt's content uses its variables in a way that cannot be rendered", field="content", hint=_BRACES
        ) from None


def _tags(content: str) -> Iterator[_Tag]:
    for match in _TAG.finditer(content):
        if match["escaped"] is None:
            yield _Tag(match.start(), match.end(), match["named"])


def _place(content: str, at: int) -> str:
    return f"line {content.count(chr(10), 0, at) + 1}, column {at - content.rfind(chr(10), 0, at)}"


def _no_variable(content: str, tag: _Tag) -> ValidationError:
    end = content.find("}}", tag.end)
    shown = storable(content[tag.at : end + 2 if end >= 0 else None])
    shown = shown if len(shown) <= _LONGEST_SHOWN else shown[:_LONGEST_SHOWN] + "…"
    return ValidationError(
        f"content has {{{{ at {_place(content, tag.at)} without the plain name of a variable: {shown}",
        field="content",
        hint=_BRACES,
    )


def _check_name(name: str, field: str, seen: set[str]) -> None:
    if not _NAME.fullmatch(name):
        raise ValidationError(
            f"{field} is no name of a variable",
            field=field,
            hint="use up to 64 letters a to z and A to Z, digits and _, beginning with no digit",
        )
    if name in seen:
        raise ValidationError(f"the variable {name} is declared twice", field=field, hint="give each another name")
    seen.add(name)


def _require_known(variables: tuple[Variable, ...], values: Mapping[str, Any]) -> None:
    declared = {variable.name for variable in variables}
    for name in values:
        if name not in declared:
            known = isinstance(name, str) and _NAME.fullmatch(name)
            raise ValidationError(
                f"the prompt has no variable {name}" if known else "a value is given for what can be no variable",
                field=f"variables.{name}" if known else "variables",
                hint=f"its variables are {', '.join(sorted(declared))}" if declared else "it has no variables",
            )


def _require_given(variables: tuple[Variable, ...], values: Mapping[str, Any]) -> None:
    missing = [v.name for v in variables if v.required and v.default is None and not _is_given(v, values)]
    if missing:
        raise ValidationError(
            f"no value is given for {', '.join(missing)}", field=f"variables.{missing[0]}", hint="give it a value"
        )


def _is_given(variable: Variable, values: Mapping[str, Any]) -> bool:
    """Null is a value of JSON alone; of the others it says that there is none."""
    is_json = variable.type is VariableType.JSON
    return variable.name in values and (is_json or values[variable.name] is not None)


def _text_of(variable: Variable, value: object, at_most: int, *, given: bool) -> str:
    if value is None and not (given and variable.type is VariableType.JSON):
        value = variable.default
        if value is None:
            return ""
    return _shown(variable, value, f"variables.{variable.name}", at_most)


def _shown(variable: Variable, value: object, field: str, at_most: int) -> str:
    """A value as it is rendered. ValidationError where it is not of the variable's type, or longer than `at_most`."""
    if not _fits(variable.type, value):
        raise ValidationError(
            f"{field} must be {_KINDS[variable.type]}", field=field, hint=f"{variable.name} is of that type"
        )
    require_storable(value, field)
    try:
        shown = value if isinstance(value, str) and variable.type is VariableType.TEXT else _as_json(value)
    except TypeError:
        raise ValidationError(f"{field} is not JSON", field=field, hint="send what JSON can say") from None
    require_length(shown, field, at_most=at_most)
    return shown


_KINDS = {
    VariableType.TEXT: "a text",
    VariableType.INTEGER: "a whole number",
    VariableType.NUMBER: "a number",
    VariableType.BOOLEAN: "true or false",
    VariableType.JSON: "JSON",
}


def _fits(type_: VariableType, value: object) -> bool:
    match type_:
        case VariableType.TEXT:
            return isinstance(value, str)
        case VariableType.INTEGER:
            return isinstance(value, int) and not isinstance(value, bool)
        case VariableType.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case VariableType.BOOLEAN:
            return isinstance(value, bool)
        case VariableType.JSON:
            return True
        case _:
            assert_never(type_)


def _as_json(value: object) -> str:
    # Sorted: PostgreSQL keeps the keys of a default in an order of its own, and a value is always to read the same.
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _require_room(content: str, texts: Mapping[str, str], at_most: int) -> None:
    """Counted before it is rendered: one long value may stand in a content two thousand times."""
    length = len(content)
    for match in _TAG.finditer(content):
        shown = _Template.delimiter if match["escaped"] else texts.get(match["named"] or "", match[0])
        length += len(shown) - len(match[0])
    if length > at_most:
        raise ValidationError(
            f"the prompt has {length:,} characters with its values; at most {at_most:,} are stored",
            field="variables",
            hint="shorten the values",
        )
