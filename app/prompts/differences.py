"""How two texts of a prompt differ, line by line, as programmers read it."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff

import orjson

from app.prompts.values import Text

CONTEXT_LINES = 3
"""Lines shown around a change, as in `diff -u`."""

MOST_COMPARED = 250_000
"""Lines of one text times lines of the other, without what both begin and end with. difflib (Python 3.11) takes 20 ms
for that at worst, and the square of it for more: then the one is shown as replaced by the other."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A unified diff; empty where two texts say the same. Both are bounded, and so is this."""

    unified: str
    added_lines: int
    removed_lines: int


def difference(old: Text, new: Text, old_name: str, new_name: str) -> Difference:
    """What is to be done to the lines of `old` to get `new`: each member that differs has a part of its own."""
    lines: list[str] = []
    added = removed = 0
    news = dict(_members(new))
    for member, before in _members(old):
        after = news[member]
        if before != after:
            changes = list(_changes(before, after))
            lines += [f"--- {member}, {old_name}", f"+++ {member}, {new_name}", *changes]
            added += sum(line.startswith("+") for line in changes)
            removed += sum(line.startswith("-") for line in changes)
    return Difference("\n".join(lines), added, removed)


def _members(text: Text) -> Iterator[tuple[str, list[str]]]:
    yield "name", _lines(text.name)
    yield "type", _lines(text.type.value)
    yield "description", _lines(text.description)
    # One line for each, so that a diff names those that changed. Sorted: PostgreSQL keeps keys in an order of its own.
    declared = [orjson.dumps(variable.as_json(), option=orjson.OPT_SORT_KEYS).decode() for variable in text.variables]
    yield "variables", declared
    yield "content", _lines(text.content)


def _lines(text: str | None) -> list[str]:
    # By line feeds alone: a carriage return that was added is a difference too.
    return [] if text is None else text.split("\n")


def _changes(old: list[str], new: list[str]) -> Iterator[str]:
    """The hunks of a unified diff, without its head."""
    same_first = _common(old, new)
    rest = min(len(old), len(new)) - same_first
    same_last = min(_common(old[::-1], new[::-1]), rest)
    compared = (len(old) - same_first - same_last) * (len(new) - same_first - same_last)
    if compared > MOST_COMPARED:
        yield from _replaced(old, new, same_first, same_last)
        return
    hunks = unified_diff(old, new, n=CONTEXT_LINES, lineterm="")
    for index, line in enumerate(hunks):
        if index >= 2:
            yield line


def _common(old: list[str], new: list[str]) -> int:
    """With how many equal lines both begin."""
    amount = 0
    for before, after in zip(old, new, strict=False):
        if before != after:
            break
        amount += 1
    return amount


def _replaced(old: list[str], new: list[str], same_first: int, same_last: int) -> Iterator[str]:
    """One hunk that replaces all between what both begin and end with."""
    start = max(same_first - CONTEXT_LINES, 0)
    ends = [len(lines) - max(same_last - CONTEXT_LINES, 0) for lines in (old, new)]
    yield f"@@ -{start + 1},{ends[0] - start} +{start + 1},{ends[1] - start} @@"
    yield from (f" {line}" for line in old[start:same_first])
    yield from (f"-{line}" for line in old[same_first : len(old) - same_last])
    yield from (f"+{line}" for line in new[same_first : len(new) - same_last])
    yield from (f" {line}" for line in old[len(old) - same_last : ends[0]])
