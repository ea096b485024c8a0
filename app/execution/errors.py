"""What can be wrong with an execution of a prompt."""

from app.core.errors import AppError, ErrorCode


class ContextFileNotFound(AppError):
    """There is no such attachment, or it is not the actor's: the same answer on purpose."""

    code = ErrorCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__(
            "there is no such attachment", field="contextFileId", hint="read the message's attachments again"
        )


class ExecutionGone(AppError):
    """The execution that the request had made was deleted since, with its session."""

    code = ErrorCode.NOT_FOUND

    def __init__(self) -> None:
        super().__init__(
            "the execution that this request had made is no longer there", field="clientKey", hint="use a new key"
        )


class AlreadyStored(AppError):
    """An execution, a message or a run of that id is there already: nothing was stored (S0-10)."""

    code = ErrorCode.ALREADY_EXISTS

    def __init__(self) -> None:
        super().__init__("this prompt is stored already", hint="read the session's executions")
