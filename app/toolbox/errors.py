"""What can be wrong with a call of the server's own tools; the messages are told to models."""

from app.core.errors import AppError, ErrorCode


class UnknownTimeZone(AppError):
    """There is no time zone of this name."""

    code = ErrorCode.VALIDATION_ERROR

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is no time zone {name!r}", field="time_zone", hint="use an IANA name such as Europe/Lisbon, or UTC"
        )
