"""No line of the log holds a secret, or what people wrote: looked at for every test, in the form of production (S3-17).

Message texts are those that the test's own client sent: `remember` is told of them.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.core.logging import LineFormatter

SHORTEST_TEXT = 12
"""Characters. What is shorter stands in many lines by chance."""

MOST_TEXTS = 300
"""Of one test: one that sends thousands has sent the same in all of them."""

TEXTS = frozenset({
    "content", "text", "prompt", "description", "feedback", "instructions", "arguments", "result", "output", "input",
    "systemPrompt", "comment", "template", "snippet",
})  # fmt: skip
"""Members of variables that hold what people and models write."""

SECRETS = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"  # a JSON web token
    r"|colloquy_[\w-]{60,}"  # an API key of ours
    r"|(?i:bearer)\s+[\w.~+/=-]{8,}"
    r"|postgres(?:ql)?://[^\s:/@\"']+:[^\s:/@\"']+@"  # a password in an address
    r"|sk-[\w-]{16,}"  # a key of OpenAI or Anthropic
)

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .,:-]{11,59}")


class Leak(AssertionError):
    """A line of the log holds what must not be in one. The message names what, and shows the line."""


class LogWatch(logging.Handler):
    """Sees every line of the test process as it would be written off a terminal."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(LineFormatter())
        self.lines: list[str] = []
        self._texts: dict[str, None] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        try:
            self.lines.append(self.format(record))
        except Exception:
            self.handleError(record)

    def remember(self, variables: Mapping[str, Any]) -> None:
        """What a client sends must not be in a line of this test."""
        if len(self._texts) < MOST_TEXTS:
            self._texts.update(dict.fromkeys(plain for text in texts_of(variables) if (plain := plain_part(text))))

    def found(self, said: str | None = None) -> str | None:
        """What a text, all lines of the test by default, holds that it must not, with its line; None where nothing."""
        text = "\n".join(self.lines) if said is None else said
        for secret in SECRETS.finditer(text):
            return f"something like a secret: {_line_at(text, secret.start())}"
        for wanted in self._texts:
            if (at := text.find(wanted)) >= 0:
                return f"{wanted!r}, which the test's client sent: {_line_at(text, at)}"
        return None

    def forget(self) -> None:
        """Begin with another test."""
        self.lines.clear()
        self._texts.clear()


WATCH = LogWatch()
"""One for the process, as the root of all loggers is."""


def texts_of(value: Any, name: str = "") -> Iterator[str]:
    """The texts in variables that stand under a name which holds some."""
    if isinstance(value, Mapping):
        for member, inside in value.items():
            yield from texts_of(inside, str(member))
    elif isinstance(value, list | tuple):
        for inside in value:
            yield from texts_of(inside, name)
    elif isinstance(value, str) and name in TEXTS and len(value) >= SHORTEST_TEXT:
        yield value


def plain_part(text: str) -> str | None:
    """A part of a text that looks the same in every notation: without line breaks, quotes and what JSON escapes."""
    parts = _PLAIN.findall(text[:2_000])
    return max(parts, key=len) if parts else None


def _line_at(text: str, at: int) -> str:
    return text[text.rfind("\n", 0, at) + 1 : at + 300].partition("\n")[0]
