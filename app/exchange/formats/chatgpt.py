"""One conversation of a ChatGPT export: its tree understood, and checked whole before anything of it is stored."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from heapq import heappop, heappush
from typing import Any

from app.core.errors import ValidationError
from app.core.text import require_length, require_storable
from app.exchange.files.lines import Line, parsed
from app.exchange.formats.chatgpt_content import Said, said
from app.exchange.formats.openai_jsonl import check_message, title_of
from app.exchange.values import Conversation, ReadCall, ReadMessage
from app.messages.values import LONGEST_NAME, Generation, MessageRole
from app.sessions.values import LONGEST_TITLE, SessionStatus
from app.tools.values import LONGEST_ARGUMENTS

TO_ALL = "all"
"""The recipient of what is said to the person; any other is a tool that is called."""

NodeId = str


@dataclass(frozen=True, slots=True)
class _Node:
    """One node of the mapping that says something."""

    id: NodeId
    parent: NodeId | None
    """The nearest one above it that says something."""
    role: MessageRole
    said: Said
    message: Mapping[str, Any]
    at: float | None
    """Seconds since 1970: its own time, else that of what it answers, else the conversation's."""
    changed: float | None


def read_conversation(line: Line) -> Conversation:
    """The conversation of a member of the list; ValidationError says what cannot be taken, naming the place."""
    if not line.text:
        raise ValidationError("the list has no end, the file may have been cut off")
    found = parsed(line, names_once=True)
    if not isinstance(found, dict):
        raise ValidationError("it must be an object with a mapping")
    begun, changed = (_seconds(found.pop(name, None)) for name in ("create_time", "update_time"))
    mapping = found.pop("mapping", None)
    if not isinstance(mapping, dict):
        raise ValidationError("mapping must be an object of nodes")
    for name, value in found.items():
        require_storable(name, "it (a key)")
        require_storable(value, name)
    parents = _parents(mapping)
    nodes = _nodes(mapping, parents, begun)
    if not nodes:
        raise ValidationError("it has no messages")
    leaf = _kept(_text(found.pop("current_node", None)), parents, nodes)
    messages = tuple(_messages(nodes, leaf))
    return _conversation(found, messages, begun, changed)


def _conversation(
    found: dict[str, Any], messages: tuple[ReadMessage, ...], begun: float | None, changed: float | None
) -> Conversation:
    title = _text(found.pop("title", None)) or ""
    known_by = _text(found.get("conversation_id")) or _text(found.get("id"))
    # Without an id, the first message is what later exports of it have in common.
    known_by = known_by or f"of {messages[0].name}"
    model = _text(found.get("default_model_slug"))
    latest = max((message.created_at for message in messages if message.created_at), default=None)
    conversation = Conversation(
        title.strip()[:LONGEST_TITLE] or title_of(list(messages)),
        messages,
        found,
        sha256(f"chatgpt:{known_by}".encode()).digest(),
        has_id=True,
        status=SessionStatus.ARCHIVED if found.get("is_archived") is True else SessionStatus.ACTIVE,
        model=model if model and len(model) <= LONGEST_NAME else None,
        created_at=_moment(begun),
        updated_at=_moment(changed) or latest,
    )
    conversation.check()
    return conversation


def _nodes(
    mapping: Mapping[NodeId, Any], parents: Mapping[NodeId, NodeId | None], begun: float | None
) -> dict[NodeId, _Node]:
    """The nodes that say something, each after the one it answers; ValidationError."""
    nodes: dict[NodeId, _Node] = {}
    nearest: dict[NodeId, NodeId | None] = {}
    for node_id in _from_the_roots(parents):
        above = parents[node_id]
        parent = nearest[above] if above is not None else None
        node = _node(node_id, mapping[node_id], nodes[parent] if parent is not None else None, begun)
        nearest[node_id] = parent if node is None else node_id
        if node is not None:
            nodes[node_id] = node
    return nodes


def _parents(mapping: dict[NodeId, Any]) -> dict[NodeId, NodeId | None]:
    """The parent of each node: as it says, else as a node says whose child it is; one that is not there is none."""
    claimed: dict[NodeId, NodeId] = {}
    for node_id, node in mapping.items():
        children = node.get("children") if isinstance(node, dict) else None
        for child in children if isinstance(children, list) else ():
            if isinstance(child, str):
                claimed.setdefault(child, node_id)
    found: dict[NodeId, NodeId | None] = {}
    for node_id, node in mapping.items():
        require_storable(node_id, "mapping (a key)")
        own = _text(node.get("parent")) if isinstance(node, dict) else None
        parent = own if own is not None else claimed.get(node_id)
        found[node_id] = parent if parent in mapping else None
    return found


def _from_the_roots(parents: Mapping[NodeId, NodeId | None]) -> Iterator[NodeId]:
    """Every node after its parent; ValidationError for one that is its own ancestor."""
    children: dict[NodeId | None, list[NodeId]] = defaultdict(list)
    for node_id, parent in parents.items():
        children[parent].append(node_id)
    pending = children[None][::-1]
    reached = 0
    while pending:
        node_id = pending.pop()
        reached += 1
        yield node_id
        pending += children[node_id][::-1]
    if reached < len(parents):
        raise ValidationError(f"mapping.{_in_circle(parents)[:100]} answers itself: its parents go round in a circle")


def _in_circle(parents: Mapping[NodeId, NodeId | None]) -> NodeId:
    """A node of a circle, of which there is one."""
    left = dict.fromkeys(parents)
    while left:
        node_id: NodeId | None = next(iter(left))
        walked = set()
        while node_id is not None and node_id in left:
            del left[node_id]
            walked.add(node_id)
            node_id = parents[node_id]
        if node_id in walked:
            return str(node_id)
    raise AssertionError("somebody was not reached from a root")


def _node(node_id: NodeId, found: Any, parent: _Node | None, begun: float | None) -> _Node | None:
    """What a node says; None where that is nothing."""
    message = found.get("message") if isinstance(found, dict) else None
    if message is None:
        return None
    place = f"mapping.{node_id[:100]}.message"
    if not isinstance(message, dict):
        raise ValidationError(f"{place} must be an object")
    message = dict(message)
    at, changed = _seconds(message.pop("create_time", None)), _seconds(message.pop("update_time", None))
    require_storable(message, place)
    told = said(message.pop("content", None), f"{place}.content")
    if told is None:
        return None
    if at is None:
        at = parent.at if parent is not None else begun
    return _Node(node_id, parent.id if parent is not None else None, _role(message, place), told, message, at, changed)


def _role(message: Mapping[str, Any], place: str) -> MessageRole:
    author = message.get("author")
    role = author.get("role") if isinstance(author, dict) else None
    if not isinstance(role, str) or role not in set(MessageRole):
        raise ValidationError(f"{place}.author.role must be {', '.join(MessageRole)}")
    return MessageRole(role)


def _kept(
    node_id: NodeId | None, parents: Mapping[NodeId, NodeId | None], nodes: Mapping[NodeId, _Node]
) -> NodeId | None:
    """The nearest node at or above one that says something."""
    while node_id is not None and node_id not in nodes:
        node_id = parents.get(node_id)
    return node_id


def _messages(nodes: Mapping[NodeId, _Node], leaf: NodeId | None) -> Iterator[ReadMessage]:
    """The messages in the order of their times, each after the one it answers; without a leaf, the last is it."""
    ordered = list(_by_time(nodes))
    active: set[NodeId] = set()
    node_id: NodeId | None = ordered[-1].id if leaf is None else leaf
    while node_id is not None:
        active.add(node_id)
        node_id = nodes[node_id].parent
    answers = _answers(nodes)
    index: dict[NodeId, int] = {}
    for node in ordered:
        parent = None if node.parent is None else index[node.parent]
        index[node.id] = len(index)
        message = _message(node, parent, answers.get(node.id), is_active=node.id in active)
        check_message(message, f"mapping.{node.id[:100]}.message", "recipient")
        yield message


def _by_time(nodes: Mapping[NodeId, _Node]) -> Iterator[_Node]:
    places = {node_id: place for place, node_id in enumerate(nodes)}
    children: dict[NodeId | None, list[_Node]] = defaultdict(list)
    for node in nodes.values():
        children[node.parent].append(node)
    ready: list[tuple[float, int, NodeId]] = []
    released: list[_Node] = children[None]
    while released or ready:
        for node in released:
            heappush(ready, (node.at if node.at is not None else 0.0, places[node.id], node.id))
        _, _, node_id = heappop(ready)
        yield nodes[node_id]
        released = children[node_id]


def _answers(nodes: Mapping[NodeId, _Node]) -> dict[NodeId, str]:
    """What each called tool answered first, by the nodes that called."""
    found: dict[NodeId, str] = {}
    for node in nodes.values():
        caller = nodes[node.parent] if node.parent is not None else None
        if node.role is not MessageRole.TOOL or caller is None or caller.id in found:
            continue
        if _called(caller) is not None and _called(caller) == _author_name(node):
            found[caller.id] = node.said.text
    return found


def _called(node: _Node) -> str | None:
    """The tool that an assistant's message is for."""
    recipient = _text(node.message.get("recipient"))
    if node.role is not MessageRole.ASSISTANT or not recipient or recipient == TO_ALL:
        return None
    return recipient


def _author_name(node: _Node) -> str | None:
    author = node.message.get("author")
    return _text(author.get("name")) if isinstance(author, dict) else None


def _message(node: _Node, parent: int | None, answer: str | None, *, is_active: bool) -> ReadMessage:
    about = node.message.get("metadata")
    model = _text(about.get("model_slug")) if isinstance(about, dict) else None
    at = _moment(node.at)
    return ReadMessage(
        node.role,
        node.said.text,
        _metadata(node),
        calls=_calls(node, answer, at),
        name=sha256(node.id.encode()).hexdigest()[:32],
        parent=parent,
        is_active=is_active,
        generation=Generation(model=model if model and len(model) <= LONGEST_NAME else None),
        created_at=at,
        updated_at=_moment(node.changed),
    )


def _calls(node: _Node, answer: str | None, at: datetime | None) -> tuple[ReadCall, ...]:
    """The call that a message is; none where what it passes on is too long for one: the message has it all."""
    tool = _called(node)
    if tool is None or len(node.said.text) > LONGEST_ARGUMENTS:
        return ()
    require_length(tool, "recipient", at_most=LONGEST_NAME)
    return (ReadCall(tool, node.said.text, None, answer, created_at=at),)


def _metadata(node: _Node) -> dict[str, Any]:
    """Everything that has no place of its own, by the names it has in the export."""
    rest = {name: value for name, value in node.message.items() if value not in (None, {}, [], node.id)}
    author = {name: value for name, value in rest.pop("author", {}).items() if name != "role" and value}
    if author:
        rest["author"] = author
    return {"node_id": node.id, **rest, **node.said.rest}


def _text(found: Any) -> str | None:
    return found if isinstance(found, str) and found.strip() else None


def _seconds(found: Any) -> float | None:
    """A time of the export; None for what is none (text, NaN, what lies before 1970 or after 9999)."""
    try:
        seconds = float(found) if isinstance(found, int | float | str) and not isinstance(found, bool) else math.nan
    except (ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < 253_402_300_800 else None


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
