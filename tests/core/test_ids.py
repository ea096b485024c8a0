"""Ids: round trips, and every other text refused with the field's name."""

from base64 import b64encode
from types import SimpleNamespace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ValidationError
from app.core.ids import (
    LONGEST_GLOBAL_ID,
    global_id,
    global_id_reader,
    new_id,
    parse_global_id,
    parse_uuid,
    split_global_id,
)

ID = UUID("0198b3a0-0000-7000-8000-00000000000a")


def _encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


def test_new_ids_are_uuids_of_version_7_in_order() -> None:
    made = [new_id() for _ in range(1000)]

    assert made == sorted(set(made))
    assert {found.version for found in made} == {7}


@given(st.uuids())
def test_global_id_leads_back_to_its_row(key: UUID) -> None:
    assert parse_global_id(global_id("ChatSession", key), "ChatSession") == key


@pytest.mark.parametrize("type_name", ["Run", "Story", "Review", "ToolCall", "ChatMessage"])
def test_ids_of_many_rows_are_those_of_each(type_name: str) -> None:
    read = global_id_reader(type_name)

    assert read(SimpleNamespace(id=ID)) == global_id(type_name, ID)
    assert parse_global_id(read(SimpleNamespace(id=ID)), type_name) == ID


MALFORMED = {
    "empty": "",
    "a bare uuid": str(ID),
    "not base64": "%%%",
    "base64 without padding": _encoded(f"ChatSession:{ID}x").rstrip("="),
    "base64 with a line break": global_id("ChatSession", ID)[:10] + "\n" + global_id("ChatSession", ID)[10:],
    "url-safe base64": "Q2hhdFNlc3Npb246-_-_",
    "no separator": _encoded("ChatSession"),
    "no type": _encoded(f":{ID}"),
    "no key": _encoded("ChatSession:"),
    "other unused bits": _encoded(f"SessionMetadata:{ID}").replace("YQ==", "YR=="),
    "not ascii inside": _encoded(f"ChätSession:{ID}"),
    "not ascii outside": "Ä" * 8,
    "a lone surrogate": "\ud800",
    "U+0000": "\x00",
    "too long": _encoded("ChatSession:" + "a" * LONGEST_GLOBAL_ID),
    "a number as key": _encoded("ChatSession:1"),
    "upper case": _encoded(f"ChatSession:{str(ID).upper()}"),
    "braces": _encoded(f"ChatSession:{{{ID}}}"),
    "a urn": _encoded(f"ChatSession:urn:uuid:{ID}"),
    "no hyphens": _encoded(f"ChatSession:{ID.hex}"),
    "a blank after it": _encoded(f"ChatSession:{ID} "),
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_id_is_refused_with_the_name_of_its_field(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        parse_global_id(text, "ChatSession", "input.sessionId")

    assert refused.value.field == "input.sessionId"
    assert refused.value.message == "input.sessionId is not a valid id"


def test_id_of_another_type_is_refused_and_says_which_is_wanted() -> None:
    with pytest.raises(ValidationError) as refused:
        parse_global_id(global_id("ChatMessage", ID), "ChatSession", "sessionId")

    assert refused.value.field == "sessionId"
    assert refused.value.message == "sessionId is the id of another type of object, not of a ChatSession"


@given(st.one_of(st.text(), st.text(alphabet="ABCabc012+/=-_"), st.text().map(lambda text: _safe(text))))
def test_any_text_is_one_rows_id_or_refused(text: str) -> None:
    try:
        type_name, key = split_global_id(text, "id")
    except ValidationError:
        return
    assert global_id(type_name, key) == text


def _safe(text: str) -> str:
    return b64encode(text.encode("utf-8", "replace")).decode()


@given(st.one_of(st.text(), st.uuids().map(str), st.uuids().map(lambda key: key.hex)))
def test_any_text_is_a_uuid_as_it_is_printed_or_refused(text: str) -> None:
    try:
        found = parse_uuid(text, "key")
    except ValidationError:
        return
    assert str(found) == text
