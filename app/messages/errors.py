"""What can be wrong with a message."""

from app.core.errors import AppError, ErrorCode


class MessageNotFound(AppError):
    """There is no such message, or it is not the actor's: the same answer on purpose."""

    code = ErrorCode.MESSAGE_NOT_FOUND

    def __init__(self, field: str = "messageId") -> None:
        super().__init__("there is no such message", field=field, hint="read the session's messages again")


class InvalidTransition(AppError):
    """A message cannot go from the status it has to the one that was asked for."""

    code = ErrorCode.INVALID_TRANSITION

    def __init__(self, found: str, wanted: str, field: str = "status") -> None:
        super().__init__(
            f"a message that is {found.upper()} cannot become {wanted.upper()}",
            field=field,
            hint="read the message again; PENDING and PROCESSING messages can still change",
            details={"from": found.upper(), "to": wanted.upper()},
        )


class MessageDeleted(AppError):
    """A tombstone keeps its number and nothing else; it cannot be changed."""

    code = ErrorCode.INVALID_TRANSITION

    def __init__(self, field: str = "messageId") -> None:
        super().__init__("the message was deleted", field=field, hint="add a new message instead")


class OtherRole(AppError):
    """What stands beside a message, in its place, is said by the same."""

    code = ErrorCode.VALIDATION_ERROR

    def __init__(self, found: str, wanted: str, field: str) -> None:
        super().__init__(
            f"a message of {found.upper()} is not edited by one of {wanted.upper()}",
            field=field,
            hint=f"pass a message of {wanted.upper()}",
        )
