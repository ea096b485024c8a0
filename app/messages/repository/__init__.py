"""Every statement that writes messages."""

from app.messages.repository.append import append
from app.messages.repository.changes import end, tombstone, update_columns
from app.messages.repository.past import take_over
from app.messages.repository.tree import copy, move_answers, owned_message

__all__ = [
    "append",
    "copy",
    "end",
    "move_answers",
    "owned_message",
    "take_over",
    "tombstone",
    "update_columns",
]
