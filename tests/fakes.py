"""Small stand-ins for what is passed in."""

from app.messages.values import Intent


class StatementRecorder:
    """Keeps every statement that was sent, for tests that count them."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def ran(self, sql: str, elapsed_ms: float, rows: int) -> None:
        """Called by the database after every statement."""
        self.sent.append(sql)

    def clear(self) -> None:
        """Forget what came before."""
        self.sent.clear()


class FailingDetector:
    """A collaborator that is broken."""

    def detect(self, content: str) -> Intent | None:
        """Never succeeds."""
        raise RuntimeError("the detector is broken")
