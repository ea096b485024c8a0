"""Ids and bounds of tool calls."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType
from uuid import UUID

from app.core.errors import ValidationError
from app.core.text import require_length, require_range
from app.messages.values import MessageId

ToolCallId = NewType("ToolCallId", UUID)

LONGEST_ARGUMENTS = 8_000
LONGEST_RESULT = 8_000
"""S1-12. Longer arguments are refused; of a longer result the beginning is kept, and that it is one (C9)."""
LONGEST_NAME = 255
LONGEST_ERROR = 4_000
MOST_CALLS = 128
"""Of one message: as many as the large providers allow."""


@dataclass(frozen=True, slots=True)
class NewToolCall:
    """A call that is about to be added to an assistant's message."""

    id: ToolCallId
    message_id: MessageId
    name: str
    arguments: str
    call_id: str | None = None
    result: str | None = None
    success: bool | None = None
    error: str | None = None
    executed_at: datetime | None = None
    duration_ms: int | None = None

    def check(self) -> None:
        """Raise ValidationError, naming the field, for what cannot be stored."""
        require_length(self.name, "name", at_least=1, at_most=LONGEST_NAME)
        if len(self.arguments) > LONGEST_ARGUMENTS:
            raise ValidationError(
                f"arguments has {len(self.arguments):,} characters; at most {LONGEST_ARGUMENTS:,} are stored",
                field="arguments",
                hint="keep large content in messages, and refer to it",
            )
        if self.call_id is not None:
            require_length(self.call_id, "callId", at_least=1, at_most=LONGEST_NAME)
        if self.error is not None:
            require_length(self.error, "error", at_most=LONGEST_ERROR)
        require_range(self.duration_ms, "durationMs", at_least=0, at_most=2**31 - 1)

    @property
    def preview(self) -> str | None:
        """What is kept of the result."""
        return self.result and self.result[:LONGEST_RESULT]

    @property
    def result_truncated(self) -> bool:
        """Whether the preview is less than the result."""
        return self.result is not None and len(self.result) > LONGEST_RESULT
