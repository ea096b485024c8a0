"""Pieces of text that PostgreSQL can hold, made of pieces that it may not."""

from app.core.text import storable

_HIGH_SURROGATES = range(0xD800, 0xDC00)


class StorableText:
    """Cleans a text that comes in pieces; a character whose halves come in two pieces stays whole."""

    def __init__(self) -> None:
        self._held = ""

    def next(self, piece: str) -> str:
        """What can be passed on after `piece`; may be empty."""
        if not piece:
            return ""
        text = self._held + piece
        self._held = ""
        if ord(text[-1]) in _HIGH_SURROGATES:
            text, self._held = text[:-1], text[-1]
        return storable(_joined(text))


def _joined(text: str) -> str:
    """`text` with pairs of surrogates as the characters they stand for."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") if _has_surrogate(text) else text


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
