"""How a turn is spelled for a model: its text, with what it was written with in view before it."""

from collections.abc import Iterator

import orjson

from app.llm.port import ConversationPart


def user_text(part: ConversationPart) -> str:
    """A turn with its context before it, marked as context."""
    return "\n\n".join([*_rendered(part), *([part.text] if part.text else [])])


def _rendered(part: ConversationPart) -> Iterator[str]:
    for kind, items in part.context.items():
        if items:
            # "<\/" is the same to a reader of JSON: what an item says cannot end its frame.
            lines = "\n".join(orjson.dumps(item).decode().replace("</", "<\\/") for item in items)
            yield f'<context kind="{kind}">\n{lines}\n</context>'
