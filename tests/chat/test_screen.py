"""What is written where, on a terminal and elsewhere."""

from io import StringIO

import pytest

from app.chat.screen import LONGEST_TURN, Screen
from app.chat.values import Turn


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_not_steered_by_an_answer() -> None:
    answers = Terminal()

    Screen(answers, Terminal()).write("a\x1b[2Jb\r\nc\td\x9b")

    assert answers.getvalue() == "a\ufffd[2Jb\nc\td\ufffd"


def test_a_note_begins_a_line_on_a_terminal() -> None:
    both = Terminal()
    screen = Screen(both, both)

    screen.write("half a line")
    screen.note("note")
    screen.write("")
    screen.end_line()
    screen.write("whole\n")
    screen.note("another")

    assert both.getvalue() == "half a line\nnote\nwhole\nanother\n"


def test_a_note_is_no_part_of_an_answer_that_goes_to_a_file() -> None:
    answers, notes = StringIO(), Terminal()
    screen = Screen(answers, notes)

    screen.write("half a line")
    screen.note("note")

    assert (answers.getvalue(), notes.getvalue()) == ("half a line", "note\n")


def test_a_prompt_is_shown_beside_an_answer_that_goes_to_a_file() -> None:
    notes = Terminal()
    screen = Screen(StringIO(), notes, Terminal("hello\n"))

    assert screen.ask() == "hello"
    with pytest.raises(EOFError):
        screen.ask()

    assert notes.getvalue() == "> > "


def test_long_turns_are_cut_and_unfinished_ones_marked() -> None:
    notes = Terminal()
    screen = Screen(Terminal(), notes)

    screen.turn(Turn("USER", "x" * (LONGEST_TURN + 1), "COMPLETED"))
    screen.turn(Turn("ASSISTANT", "half", "FAILED"))

    assert notes.getvalue() == f"> {'x' * LONGEST_TURN} …\nhalf (failed)\n"


@pytest.mark.parametrize(
    ("typed", "approved"),
    [("y\n", True), ("Yes\n", True), ("n\n", False), ("\n", False), ("", False), ("why?\n", False)],
)
async def test_only_a_yes_approves_and_nobody_there_is_a_no(typed: str, approved: bool) -> None:
    notes = StringIO()
    screen = Screen(StringIO(), notes, StringIO(typed))

    assert await screen.confirm("approve?") is approved
    assert notes.getvalue().startswith("approve? [y/N] ")
