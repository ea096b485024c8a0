"""What can be wrong with a tool call or its execution."""

from app.core.errors import AppError, ErrorCode
from app.tools.values import MOST_CALLS, ExecutionStatus


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


class ToolCallNotFound(AppError):
    """There is no such call, or it is not the actor's: the same answer on purpose."""

    code = ErrorCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("there is no such tool call", field="toolCallId", hint="read the message's calls again")


class ExecutionNotFound(AppError):
    """There is no such execution, or it is not the actor's: the same answer on purpose."""

    code = ErrorCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__(
            "there is no such execution", field="toolExecutionId", hint="read the session's executions again"
        )


class ExecutionAlreadyAdded(AppError):
    """A call is executed once."""

    code = ErrorCode.ALREADY_EXISTS

    def __init__(self) -> None:
        super().__init__(
            "the tool call has an execution", field="toolCallId", hint="change it with updateToolExecution"
        )


class ExecutionTransition(AppError):
    """An execution cannot go from the status it has to the one that was asked for."""

    code = ErrorCode.INVALID_TRANSITION

    def __init__(self, found: ExecutionStatus, wanted: ExecutionStatus | None, field: str = "status") -> None:
        asked = f"become {wanted.name}" if wanted else "be changed"
        awaiting = found is ExecutionStatus.AWAITING_APPROVAL
        super().__init__(
            f"an execution that is {found.name} cannot {asked}",
            field=field,
            hint="decide it with decideToolExecution" if awaiting else "read the execution again",
            details={"from": found.name, "to": wanted.name} if wanted else {"from": found.name},
        )


class AlreadyDecided(AppError):
    """Somebody decided otherwise before."""

    code = ErrorCode.ALREADY_DECIDED

    def __init__(self, *, approved: bool) -> None:
        super().__init__(
            f"the execution was {'approved' if approved else 'denied'} before",
            field="approve",
            hint="read it again: it says who decided, and when",
            details={"approved": approved},
        )


class ApprovalExpired(AppError):
    """The time to decide is over."""

    code = ErrorCode.INVALID_TRANSITION

    def __init__(self) -> None:
        super().__init__("the approval has expired", field="toolExecutionId", hint="have the tool called again")


class StatusConflict(AppError):
    """The execution is no longer in the status that the client saw."""

    code = ErrorCode.VERSION_CONFLICT

    def __init__(self, expected: ExecutionStatus, found: ExecutionStatus) -> None:
        super().__init__(
            f"the execution is {found.name}, not {expected.name}",
            field="expectedStatus",
            hint="read it again and decide anew",
            details={"expected": expected.name, "found": found.name},
        )
