"""What can be wrong with a run."""

from app.core.errors import AppError, ErrorCode, InvalidCursor
from app.core.ids import global_id
from app.runs.values import MOST_TURNS, RunId, RunStatus


class RunNotFound(AppError):
    """There is no such run, or it is not the actor's: the same answer on purpose."""

    code = ErrorCode.NOT_FOUND

    def __init__(self, field: str = "runId") -> None:
        super().__init__("there is no such run", field=field, hint="read the session's runs again")


class RunActive(AppError):
    """The session has a run that is not finished, and the send was not to wait or to interrupt."""

    code = ErrorCode.RUN_ACTIVE

    def __init__(self, run_id: RunId) -> None:
        super().__init__(
            "the session has an answer that is not finished",
            field="onBusy",
            hint="wait for it, cancel it, or send with onBusy: ENQUEUE or INTERRUPT",
            details={"runId": global_id("Run", run_id)},
        )


class TooManyWaiting(AppError):
    """A session's queue is bounded."""

    code = ErrorCode.LIMIT_EXCEEDED

    def __init__(self, most: int) -> None:
        super().__init__(
            f"{most} answers of this session wait for their turn", field="onBusy", hint="wait for some, or cancel them"
        )


class TooManyTurns(AppError):
    """A run whose model calls tools again and again is stopped."""

    code = ErrorCode.LIMIT_EXCEEDED

    def __init__(self) -> None:
        super().__init__(
            f"the model called tools in {MOST_TURNS} turns, and wanted to go on",
            hint="ask for less at once, or offer tools that do more in one call",
        )


class RunEnded(AppError):
    """A run that has ended otherwise cannot be cancelled any more."""

    code = ErrorCode.INVALID_TRANSITION

    def __init__(self, found: RunStatus) -> None:
        super().__init__(
            f"the run has ended: it is {found.name}",
            field="runId",
            hint="read the run again",
            details={"from": found.name, "to": RunStatus.CANCELLED.name},
        )


class NothingToRetry(AppError):
    """Only a run that failed, was cancelled or interrupted is tried again."""

    code = ErrorCode.INVALID_TRANSITION

    def __init__(self, found: RunStatus) -> None:
        super().__init__(
            f"the run is {found.name}: only one that is FAILED, CANCELLED or INTERRUPTED is tried again",
            field="runId",
            hint="use regenerateMessage for another answer" if found.ended else "wait for its end, or cancel it",
            details={"from": found.name},
        )


class NothingToAnswer(AppError):
    """Only an assistant's message that answers another can be generated anew."""

    code = ErrorCode.VALIDATION_ERROR

    def __init__(self) -> None:
        super().__init__(
            "only an assistant's message that answers another can be generated anew",
            field="messageId",
            hint="pass the id of the answer, not of the question",
        )


class UnknownPosition(InvalidCursor):
    """A position that the run has not reached: most likely one of another run."""

    def __init__(self, last: int) -> None:
        super().__init__(
            f"this run has only got to position {last}",
            field="after",
            hint="pass the seq of the last event you kept of this very run, or leave it out for a snapshot",
        )
