"""What can stand in the way of a chat; each is told in one line."""

from app.chat.values import one_line


class ChatProblem(Exception):
    """Told to the person as it is."""


class NobodyThere(ChatProblem):
    """Nothing answers at that address."""

    def __init__(self, url: str) -> None:
        super().__init__(
            f"nothing answers at {url}; start a server with `colloquy serve`, or say with --url where one runs"
        )


class NotAServer(ChatProblem):
    """Something answers, and it is no server of ours."""

    def __init__(self, url: str, found: str) -> None:
        super().__init__(f"what answers at {url} is no Colloquy server ({one_line(found)}); name one with --url")


class Away(ChatProblem):
    """The server answered before, and does no more."""

    def __init__(self, url: str, seconds: float) -> None:
        super().__init__(f"{url} has not answered for {seconds:.0f} seconds; what it stored is there when it is back")


class Refused(ChatProblem):
    """The server does not do it; the message says why."""

    def __init__(self, message: str, hint: str | None = None, *, retryable: bool = False) -> None:
        super().__init__(one_line(message, hint))
        self.retryable = retryable
