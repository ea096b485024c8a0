"""What can be wrong with an attachment."""

from dataclasses import dataclass

from app.attachments.values import MOST_ATTACHMENTS
from app.core.errors import AppError, ErrorCode


class AttachmentNotFound(AppError):
    """There is no such attachment, or it is not the actor's: the same answer on purpose."""

    code = ErrorCode.NOT_FOUND

    def __init__(self, field: str = "attachmentId") -> None:
        super().__init__("there is no such attachment", field=field, hint="read the message's attachments again")


class TooManyAttachments(AppError):
    """The message has as many attachments as one may have."""

    code = ErrorCode.LIMIT_EXCEEDED

    def __init__(self) -> None:
        super().__init__(
            f"a message has at most {MOST_ATTACHMENTS} attachments", field="messageId", hint="attach it to another"
        )


@dataclass(frozen=True, slots=True)
class ContentTypeCorrected:
    """The file is not what its sender said: a warning, for it is stored all the same."""

    claimed: str
    found: str

    code = "CONTENT_TYPE_CORRECTED"

    @property
    def message(self) -> str:
        """What was made of it."""
        return f"the file was sent as {self.claimed[:100]}; by its content it is {self.found}"
