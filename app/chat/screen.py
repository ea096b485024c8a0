"""What a person sees: answers on standard output, everything about them on standard error."""

import asyncio
import sys
from typing import TextIO

from app.chat.values import Turn, visible

PROMPT = "> "

LONGEST_TURN = 2_000
"""Characters shown of a turn that was there before: enough to remember what it was about."""


class Screen:
    """A terminal, or files in its place: what is written to a file is the answer alone, as the model gave it."""

    def __init__(self, answers: TextIO | None = None, notes: TextIO | None = None, lines: TextIO | None = None) -> None:
        self._answers, self._notes, self._lines = answers or sys.stdout, notes or sys.stderr, lines or sys.stdin
        self._is_terminal = self._answers.isatty()
        self._at_line_start = True
        for stream in (self._answers, self._notes):
            # A terminal without UTF-8 shows a question mark for what it has no letter for.
            if (reconfigure := getattr(stream, "reconfigure", None)) is not None:
                reconfigure(errors="replace")

    @property
    def is_watched(self) -> bool:
        """Whether a person is there to read notes."""
        return self._notes.isatty()

    def write(self, text: str) -> None:
        """Show a piece of an answer at once."""
        if text:
            self._answers.write(visible(text) if self._is_terminal else text)
            self._answers.flush()
            self._at_line_start = text.endswith("\n")

    def end_line(self) -> None:
        """Whatever comes next begins a line."""
        if not self._at_line_start:
            self.write("\n")

    def note(self, line: str) -> None:
        """Say something that is no answer."""
        if self._is_terminal:
            self.end_line()
        self._notes.write(f"{line}\n")
        self._notes.flush()

    def turn(self, turn: Turn) -> None:
        """Show a turn that was there before."""
        text = turn.text if len(turn.text) <= LONGEST_TURN else turn.text[:LONGEST_TURN] + " …"
        mark = "" if turn.status == "COMPLETED" else f" ({turn.status.lower()})"
        # Told as a note: where answers go to a file, the file is not to hold them a second time.
        self.note(f"{PROMPT if turn.role == 'USER' else ''}{visible(text)}{mark}")

    async def confirm(self, question: str) -> bool:
        """Whether the person says yes; where nobody is there to say anything, it is a no."""
        if self._is_terminal:
            self.end_line()
        self._notes.write(f"{question} [y/N] ")
        self._notes.flush()
        if self._lines.isatty():
            # Not in a thread, which would go on reading after the answer was called off.
            await _readable(self._lines.fileno())
        answer = self._lines.readline()
        if not self._lines.isatty():
            self.note(answer.strip())
        return answer.strip().lower() in ("y", "yes")

    def ask(self) -> str:
        """The next line of the person, without its end; EOFError when there are no more."""
        if self._lines is sys.stdin and self._lines.isatty() and self._is_terminal:
            return input(PROMPT)
        if self._lines.isatty():
            self._notes.write(PROMPT)
            self._notes.flush()
        line = self._lines.readline()
        if not line:
            raise EOFError
        return line.rstrip("\n")


async def _readable(file: int) -> None:
    """Return when there is a line to read."""
    loop, there = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(file, there.set)
    try:
        await there.wait()
    finally:
        loop.remove_reader(file)
