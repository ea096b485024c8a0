"""What can be wrong with a tool call."""

from app.core.errors import AppError, ErrorCode
from app.tools.values import MOST_CALLS


class CallAlreadyAdded(AppError):
    """The message has a call with this id; the model gives every call of a message its own."""

    code = ErrorCode.ALREADY_EXISTS

    def __init__(self) -> None:
        super().__init__(
            "the message has a tool call with this callId", field="callId", hint="send the same clientKey to repeat"
        )


class TooManyCalls(AppError):
    """The message has as many calls as one may have."""

    code = ErrorCode.LIMIT_EXCEEDED

    def __init__(self) -> None:
        super().__init__(f"a message has at most {MOST_CALLS} tool calls", field="messageId")


class NotAnAssistantMessage(AppError):
    """Only models call tools."""

    code = ErrorCode.VALIDATION_ERROR

    def __init__(self) -> None:
        super().__init__(
            "only an assistant's message has tool calls", field="messageId", hint="pass the message that made the call"
        )
