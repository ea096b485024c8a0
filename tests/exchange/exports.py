"""Exports of ChatGPT as they are made: whole trees, with what is odd in them."""

import json
import zipfile
from pathlib import Path
from typing import Any

from app.exchange.files.lines import Line
from app.exchange.formats.chatgpt import read_conversation
from app.exchange.values import Conversation

BEGUN = 1_700_000_000.5


def node(
    node_id: str, parent: str | None, role: str = "user", text: str | None = None, at: object = None, **members: Any
) -> dict[str, Any]:
    """A node that says something; `content` in the members takes the place of the text."""
    content = {"content_type": "text", "parts": [node_id if text is None else text]}
    message = {
        "id": node_id, "author": {"role": role, "name": None, "metadata": {}}, "create_time": at, "update_time": None,
        "content": content, "status": "finished_successfully", "end_turn": None, "weight": 1.0, "metadata": {},
        "recipient": "all", "channel": None, **members,
    }  # fmt: skip
    return {"id": node_id, "message": message, "parent": parent, "children": []}


def silent(node_id: str, parent: str | None) -> dict[str, Any]:
    """A node without a message, as every tree begins with one."""
    return {"id": node_id, "message": None, "parent": parent, "children": []}


def tree(*nodes: dict[str, Any]) -> dict[str, Any]:
    """A mapping, with the children of each node."""
    mapping = {one["id"]: one for one in nodes}
    for one in nodes:
        if one["parent"] in mapping:
            mapping[one["parent"]]["children"].append(one["id"])
    return mapping


def chat(*nodes: dict[str, Any], key: str = "c1", **members: Any) -> dict[str, Any]:
    """A conversation whose last node is the current one."""
    return {
        "title": "Lisbon", "create_time": BEGUN, "update_time": BEGUN + 100, "mapping": tree(*nodes),
        "current_node": nodes[-1]["id"] if nodes else None, "conversation_id": key, "id": key,
        "default_model_slug": "gpt-4o", "is_archived": False, **members,
    }  # fmt: skip


def branched(key: str = "c1") -> dict[str, Any]:
    """A question that was answered twice, and gone on with from the first answer."""
    return chat(
        silent("root", None),
        node("question", "root", at=BEGUN + 1),
        node("first", "question", "assistant", at=BEGUN + 2, metadata={"model_slug": "gpt-4o-mini"}),
        node("second", "question", "assistant", at=BEGUN + 9),
        node("more", "first", at=BEGUN + 20),
        key=key,
    )  # fmt: skip


def member(found: object) -> Line:
    """A member of the list, as it is cut out of a file."""
    text = found if isinstance(found, bytes) else json.dumps(found).encode()
    return Line(1, text, is_whole=True, is_too_long=False, end_offset=len(text), unit="conversation")


def understood(found: object) -> Conversation:
    """What is understood of a conversation."""
    return read_conversation(member(found))


def exported(folder: Path, conversations: list[Any], name: str = "conversations.json") -> Path:
    """A file of an export."""
    file = folder / name
    file.write_text(json.dumps(conversations), encoding="utf-8")
    return file


def archived(folder: Path, **files: object) -> Path:
    """An archive with these files: bytes as they are, anything else as JSON."""
    path = folder / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, found in files.items():
            archive.writestr(name, found if isinstance(found, bytes) else json.dumps(found))
    return path
