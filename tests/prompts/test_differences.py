"""How two texts of a prompt differ."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.prompts.differences import Difference, difference
from app.prompts.values import PromptType, Text, Variable, VariableType

OLD = Text(
    "Reply to a customer",
    "You are kind.\nAnswer {{question}}.\nBe short.",
    PromptType.QUESTION_ANSWERING,
    None,
    (Variable("question"),),
)


def test_texts_that_say_the_same_do_not_differ() -> None:
    assert difference(OLD, replace(OLD), "version 1", "version 2") == Difference("", 0, 0)


def test_each_member_that_differs_has_a_part() -> None:
    new = replace(
        OLD,
        name="Reply",
        content="You are kind.\nAnswer {{question}} in {{words}} words.\nBe short.",
        type=PromptType.CUSTOM,
        description="For the shop.",
        variables=(*OLD.variables, Variable("words", VariableType.INTEGER, default=50)),
    )

    found = difference(OLD, new, "version 1", "version 3")

    assert found == Difference(
        """--- name, version 1
+++ name, version 3
@@ -1 +1 @@
-Reply to a customer
+Reply
--- type, version 1
+++ type, version 3
@@ -1 +1 @@
-question-answering
+custom
--- description, version 1
+++ description, version 3
@@ -0,0 +1 @@
+For the shop.
--- variables, version 1
+++ variables, version 3
@@ -1 +1,2 @@
 {"default":null,"description":null,"name":"question","required":true,"type":"text"}
+{"default":50,"description":null,"name":"words","required":true,"type":"integer"}
--- content, version 1
+++ content, version 3
@@ -1,3 +1,3 @@
 You are kind.
-Answer {{question}}.
+Answer {{question}} in {{words}} words.
 Be short.""",
        5,
        3,
    )


@pytest.mark.parametrize(("before", "after"), [("a", "a\n"), ("a\nb", "a\r\nb"), ("a", "a "), ("é", "e\u0301")])
def test_what_is_hardly_seen_differs_too(before: str, after: str) -> None:
    found = difference(replace(OLD, content=before), replace(OLD, content=after), "1", "2")

    assert found.added_lines >= 1


def patched(before: str, unified: str) -> str:
    """`before` with a unified diff applied, as `patch` does it."""
    lines, result, place = before.split("\n"), [], 0
    for line in unified.split("\n")[2:]:
        if line.startswith("@@"):
            start, length = re.findall(r"@@ -(\d+)(?:,(\d+))?", line)[0]
            first = int(start) - (length != "0")
            result += lines[place:first]
            place = first
        elif line[0] == "+":
            result.append(line[1:])
        else:
            assert lines[place] == line[1:]
            place += 1
            result += [line[1:]] * (line[0] == " ")
    return "\n".join(result + lines[place:])


LINES = st.lists(st.text("ab\r+- ", max_size=3), max_size=30).map("\n".join)


@given(LINES, LINES)
def test_a_diff_leads_from_one_text_to_the_other(before: str, after: str) -> None:
    found = difference(replace(OLD, content=before), replace(OLD, content=after), "1", "2")

    assert (patched(before, found.unified) if found.unified else before) == after


@given(st.integers(0, 5), st.integers(0, 5), LINES)
def test_texts_of_very_many_lines_are_replaced_as_a_whole(first: int, last: int, middle: str) -> None:
    head, tail = "h\n" * first, "\nt" * last
    before, after = (head + mark + middle + mark * 10 + "x\n" * 900 + mark + tail for mark in ("-\n", "+\n"))

    found = difference(replace(OLD, content=before), replace(OLD, content=after), "1", "2")

    assert patched(before, found.unified) == after


def test_the_longest_texts_have_a_difference_of_their_length() -> None:
    before, after = ("".join(f"{n % 50}\n{mark}{n}\n" for n in range(1_200))[:10_000] for mark in "uv")

    found = difference(replace(OLD, content=before), replace(OLD, content=after), "1", "2")

    assert len(found.unified) < 30_000
