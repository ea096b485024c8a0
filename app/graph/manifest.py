"""Manifests of trusted documents: what the build of a front end writes of the operations that it sends."""

import json
from pathlib import Path
from typing import Any

from app.core.settings import SettingsError

APOLLO_FORMAT = "apollo-persisted-query-manifest"


class ManifestProblem(SettingsError):
    """The manifest cannot be used; one line names the place in the file and what is wrong there."""

    def __init__(self, path: Path, place: str, fault: str) -> None:
        super().__init__(f"COLLOQUY_TRUSTED_DOCUMENTS={path}, {place}: {fault}")


def read_manifest(path: Path) -> dict[str, str]:
    """The documents of a manifest by their ids: Apollo's format, or an object of ids and texts. ManifestProblem."""
    try:
        found = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise ManifestProblem(path, "file", f"cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise ManifestProblem(path, "file", f"is not JSON in UTF-8 ({error})") from None
    if not isinstance(found, dict):
        raise ManifestProblem(path, "file", "must be a JSON object")
    texts = _apollo(path, found) if "format" in found else found
    for id_, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise ManifestProblem(path, f"document {id_}", "must be the text of a document")
    return texts


def _apollo(path: Path, found: dict[str, Any]) -> dict[str, Any]:
    if (found["format"], found.get("version")) != (APOLLO_FORMAT, 1):
        raise ManifestProblem(path, "format", f"must be {APOLLO_FORMAT} of version 1")
    operations = found.get("operations")
    if not isinstance(operations, list):
        raise ManifestProblem(path, "operations", "must be a list")
    texts: dict[str, Any] = {}
    for place, operation in enumerate(operations):
        if not isinstance(operation, dict) or not isinstance(operation.get("id"), str):
            raise ManifestProblem(path, f"operations[{place}]", "must be an object with an id")
        if operation["id"] in texts:
            raise ManifestProblem(path, f"operations[{place}]", f"has the id of another: {operation['id']}")
        texts[operation["id"]] = operation.get("body")
    return texts
