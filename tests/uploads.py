"""Files in variables, and the multipart requests that carry them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FileToSend:
    """A file where a variable of the type Upload is asked for."""

    content: bytes = b"a text"
    name: str = "notes.txt"
    claimed_type: str = "text/plain"


def without_files(value: Any, path: str = "variables") -> tuple[Any, dict[str, FileToSend]]:
    """Variables with null in place of each file, and the files by their paths."""
    if isinstance(value, FileToSend):
        return None, {path: value}
    if isinstance(value, Mapping):
        found = {name: without_files(item, f"{path}.{name}") for name, item in value.items()}
        return {name: bare for name, (bare, _) in found.items()}, _joined(files for _, files in found.values())
    if isinstance(value, list):
        items = [without_files(item, f"{path}.{index}") for index, item in enumerate(value)]
        return [bare for bare, _ in items], _joined(files for _, files in items)
    return value, {}


def _json(value: Any) -> bytes:
    """JSON in UTF-8; with escapes where there is a lone surrogate, which the server is to refuse and not we."""
    try:
        return json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return json.dumps(value).encode()


def _joined(found: Any) -> dict[str, FileToSend]:
    return {path: file for files in found for path, file in files.items()}


def request_body(query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The body of an operation and its headers, for the HTTP client: JSON, or a form where there are files."""
    bare, files = without_files(variables)
    operation = _json({"query": query, "variables": bare})
    if not files:
        return {"content": operation, "headers": {"Content-Type": "application/json"}}
    mapped = {str(number): [path] for number, path in enumerate(files)}
    parts: list[tuple[str, tuple[str | None, bytes, str]]] = [
        ("operations", (None, operation, "application/json")),
        ("map", (None, json.dumps(mapped).encode(), "application/json")),
    ]
    parts += [(str(number), (file.name, file.content, file.claimed_type)) for number, file in enumerate(files.values())]
    return {"files": parts, "headers": {"X-Colloquy-Preflight": "1"}}
