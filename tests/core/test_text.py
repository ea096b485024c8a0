"""Text from outside: exactly what PostgreSQL cannot keep is refused, and the place is named."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ValidationError
from app.core.text import DEEPEST_JSON, require_storable

_texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)
_leaves = (
    st.none()
    | st.booleans()
    | _texts
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
)
_storable: Any = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=12,
)
BAD = {
    "U+0000": ("a\x00b", "the character U+0000"),
    "U+0000 beside other letters": ("ä\x00", "the character U+0000"),
    "a lone high surrogate": ("\ud83d", "a lone surrogate"),
    "a lone low surrogate": ("x\udc00y", "a lone surrogate"),
    "too large a number": (2**64, "a whole number of more than 64 bits"),
    "too small a number": (-(2**63) - 1, "a whole number of more than 64 bits"),
    "infinity": (float("inf"), "a number too large for a double"),
    "not a number": (float("nan"), "a number too large for a double"),
}


@given(_storable)
def test_what_can_be_stored_is_let_through(value: object) -> None:
    require_storable(value, "metadata")


@given(
    st.sampled_from(list(BAD.values())),
    st.lists(st.sampled_from(["a", "b", 0, 2]), max_size=5),
    st.lists(_storable, min_size=2, max_size=2),
)
def test_one_bad_value_is_found_wherever_it_stands(
    bad: tuple[object, str], way: list[str | int], others: list[object]
) -> None:
    value, what = bad
    for step in reversed(way):
        value = {step: value, "other": others[0]} if isinstance(step, str) else [*others[:step], *[0] * step, value]
    place = "metadata"
    for step in way:
        place += f".{step}" if isinstance(step, str) else f"[{len(others[:step]) + step}]"

    with pytest.raises(ValidationError, match="cannot be stored") as refused:
        require_storable(value, "metadata")

    assert refused.value.field == place
    assert what in refused.value.message


@pytest.mark.parametrize(("value", "what"), BAD.values(), ids=BAD.keys())
def test_place_is_named_in_the_message(value: object, what: str) -> None:
    with pytest.raises(ValidationError) as refused:
        require_storable({"tags": ["fine", value]}, "metadata")

    assert refused.value.field == "metadata.tags[1]"
    assert refused.value.message.startswith(f"metadata.tags[1] contains {what}")


@pytest.mark.parametrize(("key", "shown"), [("a\x00", "metadata"), ("\ud800", "metadata")])
def test_bad_key_is_found_and_the_answer_is_fit_to_be_sent(key: str, shown: str) -> None:
    with pytest.raises(ValidationError) as refused:
        require_storable({key: {"b": "\x00"}}, "metadata")

    assert refused.value.message.startswith(shown)
    assert "\x00" not in refused.value.message
    assert refused.value.message.encode()
    assert refused.value.field is not None
    assert refused.value.field.encode()


def _nested(levels: int, bottom: object = 1) -> object:
    value = bottom
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def test_deepest_nesting_is_allowed_and_one_more_level_is_not() -> None:
    require_storable(_nested(DEEPEST_JSON), "metadata")

    with pytest.raises(ValidationError, match="nests more than 64 levels deep"):
        require_storable(_nested(DEEPEST_JSON + 1), "metadata")


def test_10_000_levels_are_refused_without_exhausting_the_stack() -> None:
    with pytest.raises(ValidationError, match="nests more than 64 levels deep") as refused:
        require_storable(_nested(10_000), "metadata")

    assert len(refused.value.message) < 200
