"""Any text is a query: what it looks for, and what is refused."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import ValidationError
from app.search.snippets import ELLIPSIS, SNIPPET_LENGTH, matches, snippet
from app.search.values import LONGEST_QUERY, Alternative, SearchQuery, Term, words_of


def _bare(*words: str) -> tuple[Term, ...]:
    return tuple(Term(word, exact=False) for word in words)


def _exact(*phrases: str) -> tuple[Term, ...]:
    return tuple(Term(phrase, exact=True) for phrase in phrases)


@pytest.mark.parametrize(
    ("text", "alternatives"),
    [
        ("two words", [Alternative(_bare("two", "words"), ())]),
        ('"a phrase" word', [Alternative((*_exact("a phrase"), *_bare("word")), ())]),
        ("“a phrase” word", [Alternative((*_exact("a phrase"), *_bare("word")), ())]),
        ('never "closed here', [Alternative((*_bare("never"), *_exact("closed here")), ())]),
        ('wanted -not -"nor this"', [Alternative(_bare("wanted"), _exact("not", "nor this"))]),
        ("a b or c", [Alternative(_bare("a", "b"), ()), Alternative(_bare("c"), ())]),
        ("a | b OR c", [Alternative(_bare("a"), ()), Alternative(_bare("b"), ()), Alternative(_bare("c"), ())]),
        ("or a or", [Alternative(_bare("a"), ())]),
        ('"or"', [Alternative(_exact("or"), ())]),
        ("twice twice", [Alternative(_bare("twice"), ())]),
        ("well-known ... !", [Alternative(_bare("well-known"), ())]),
        ("手机 -中国", [Alternative(_bare("手机"), _exact("中国"))]),
    ],
)
def test_query_is_read_as_people_mean_it(text: str, alternatives: list[Alternative]) -> None:
    assert SearchQuery.parse(text) == SearchQuery(tuple(alternatives))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "names nothing"),
        (" \t\n", "names nothing"),
        ("... -- !?", "names nothing"),
        ("or OR |", "names nothing"),
        ("-only -these", "names nothing"),
        ("a or -b", "names nothing"),
        ("x" * (LONGEST_QUERY + 1), "501 characters"),
        (" ".join(f"w{number}" for number in range(17)), "more than 16 words"),
        ("\x00", "U+0000"),
        ("\ud800", "lone surrogate"),
    ],
)
def test_query_that_names_nothing_is_refused_with_a_hint(text: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says.replace("+", r"\+")) as refused:
        SearchQuery.parse(text)

    assert refused.value.field == "query"
    assert refused.value.hint


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_query_or_refused_by_its_field(text: str) -> None:
    query = SearchQuery(())

    with suppress(ValidationError):
        query = SearchQuery.parse(text)

    assert all(term.words for term in (*query.wanted, *query.unwanted))
    assert all(side.wanted for side in query.alternatives)


_WRITTEN = st.text(alphabet=st.sampled_from("ab cdé中国手机ไทย👍.,-\n(["), max_size=600)


@given(_WRITTEN, _WRITTEN)
@settings(max_examples=200, deadline=None)
def test_snippet_is_a_piece_of_the_text_with_its_matches_marked(text: str, wanted: str) -> None:
    terms = [Term(wanted[:20], exact=len(wanted) % 2 == 0)] if words_of(wanted[:20]) else []

    fragments = snippet(text, terms)

    joined = "".join(fragment.text for fragment in fragments)
    assert joined.removeprefix(ELLIPSIS).removesuffix(ELLIPSIS) in text
    assert len(joined) <= SNIPPET_LENGTH + 2
    assert all(fragment.text for fragment in fragments)
    assert all(first.highlighted != second.highlighted for first, second in pairwise(fragments))
    if matches(text, terms):
        assert any(fragment.highlighted for fragment in fragments)
    for fragment in fragments:
        if fragment.highlighted and terms and len(fragment.text) < SNIPPET_LENGTH:
            assert fragment.text in text


def test_snippet_begins_shortly_before_the_match_at_a_word() -> None:
    text = "one two three " * 20 + "the needle " + "four five six " * 40

    before, needle, after = snippet(text, _bare("NEEDLE"))

    assert before.text.startswith(f"{ELLIPSIS}one two three ") or before.text.startswith(f"{ELLIPSIS}t")
    assert before.text.endswith("the ")
    assert (needle.text, needle.highlighted) == ("needle", True)
    assert after.text.endswith(ELLIPSIS)


def test_snippet_marks_whatever_stands_between_the_words_of_a_phrase() -> None:
    fragments = snippet("Call foo.bar(baz) now", _bare("foo_bar baz"))

    assert [fragment.text for fragment in fragments if fragment.highlighted] == ["foo.bar(baz"]
