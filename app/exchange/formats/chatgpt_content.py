"""What a message of a ChatGPT export says: its text, and what of its content is not text."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.core.errors import ValidationError

BETWEEN_PARTS = "\n"
"""Parts are blocks of their own."""

PLAIN = ("text", "code", "execution_output", "multimodal_text")
"""Kinds of content that are nothing but text, or parts of it; of others the kind is kept, for it tells how to read."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a message says."""

    text: str
    """Never blank: of an image alone, a word in brackets stands for it."""
    rest: dict[str, Any]
    """What is not text, for the message's metadata: the kind of content, assets, members that nobody knows."""


def said(content: Any, place: str) -> Said | None:
    """The content of a message; None where it says nothing. ValidationError for what is no content."""
    if content is None:
        return None
    if isinstance(content, str):
        return Said(content, {}) if content.strip() else None
    if not isinstance(content, dict):
        raise ValidationError(f"{place} must be an object")
    content = dict(content)
    found = content.pop("content_type", None)
    kind = found if isinstance(found, str) and found else "text"
    assets: list[dict[str, Any]] = []
    text = BETWEEN_PARTS.join(one for one in _texts(kind, content, assets, place) if one.strip())
    rest = {name: value for name, value in content.items() if value not in (None, "", [], {})}
    told = {**({"assets": assets} if assets else {}), **({"content": rest} if rest else {})}
    if not text and not told:
        return None
    if kind not in PLAIN or not text:
        told["content_type"] = kind
    return Said(text or BETWEEN_PARTS.join(_stand_ins(kind, assets)), told)


def _texts(kind: str, content: dict[str, Any], assets: list[dict[str, Any]], place: str) -> Iterator[str]:
    """The texts of a content, taken out of it; what it shows beside them goes to `assets`."""
    match kind:
        case "thoughts":
            yield from _thoughts(content)
        case "tether_quote" | "sonic_webpage":
            yield from _taken(content, "title", "url", "text")
        case "tether_browsing_display":
            yield from _taken(content, "summary", "result")
        case "user_editable_context":
            yield from _taken(content, "user_profile", "user_instructions")
        case "model_editable_context":
            yield from _taken(content, "model_set_context")
        case "system_error":
            yield from _taken(content, "name", "text")
        case _:
            yield from _parts(content, assets, place)
            # `text` of code, output and errors; `content` of a recap; of kinds to come perhaps one of these.
            yield from _taken(content, "text", "content", "result")


def _taken(content: dict[str, Any], *names: str) -> Iterator[str]:
    for name in names:
        if isinstance(content.get(name), str):
            yield content.pop(name)


def _parts(content: dict[str, Any], assets: list[dict[str, Any]], place: str) -> Iterator[str]:
    parts = content.pop("parts", None)
    if parts is not None and not isinstance(parts, list):
        raise ValidationError(f"{place}.parts must be a list")
    for part in parts or ():
        match part:
            case str():
                yield part
            case {"text": str(text)} if part.get("content_type") in ("text", "audio_transcription"):
                yield text
                rest = {name: value for name, value in part.items() if name not in ("text", "content_type")}
                if rest:
                    assets.append({"content_type": part["content_type"], **rest})
            case dict():
                assets.append(part)
            case None:
                pass
            case _:
                assets.append({"content_type": "unknown", "part": part})


def _thoughts(content: dict[str, Any]) -> Iterator[str]:
    thoughts = content.get("thoughts")
    if not isinstance(thoughts, list) or not all(isinstance(one, dict) for one in thoughts):
        return
    left = []
    for thought in thoughts:
        one = dict(thought)
        yield from _taken(one, "summary", "content")
        if _pieces(one.get("chunks")) == thought.get("content"):
            # The same once more, piece by piece.
            one.pop("chunks", None)
        if any(value not in (None, "", [], {}) for value in one.values()):
            left.append(one)
    content["thoughts"] = left


def _pieces(chunks: Any) -> str | None:
    is_text = isinstance(chunks, list) and all(isinstance(chunk, str) for chunk in chunks)
    return "".join(chunks) if is_text else None


def _stand_ins(kind: str, assets: list[dict[str, Any]]) -> Iterator[str]:
    """Words in brackets for what cannot be written: nobody has said nothing."""
    for asset in assets:
        named = str(asset.get("content_type") or "attachment")
        yield f"[{named.removesuffix('_asset_pointer').replace('_', ' ')[:100]}]"
    if not assets:
        yield f"[{kind.replace('_', ' ')[:100]}]"
