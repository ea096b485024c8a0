"""Small stand-ins for what is passed in."""

from app.core.logging import current_correlation
from app.llm.window import WindowUse
from app.messages.values import Intent


class StatementRecorder:
    """Keeps every statement that was sent, for tests that count them."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.rows: list[int] = []
        """How many each of them returned."""

    def ran(self, sql: str, elapsed_ms: float, rows: int) -> None:
        """Called by the database after every statement."""
        self.sent.append(sql)
        self.rows.append(rows)

    def clear(self) -> None:
        """Forget what came before."""
        self.sent.clear()
        self.rows.clear()


class TracedStatements:
    """Keeps of every statement that was sent under which correlation id that was."""

    def __init__(self) -> None:
        self.sent: list[tuple[str | None, str]] = []

    def ran(self, sql: str, elapsed_ms: float, rows: int) -> None:
        """Called by the database after every statement."""
        self.sent.append((current_correlation(), sql))

    def of(self, words: str) -> set[str | None]:
        """The correlation ids of the statements that hold these words."""
        return {correlation for correlation, sql in self.sent if words in sql}


class FailingDetector:
    """A collaborator that is broken."""

    def detect(self, content: str) -> Intent | None:
        """Never succeeds."""
        raise RuntimeError("the detector is broken")


def in_view(tokens: int) -> WindowUse:
    """What a worker notes of a question of so many tokens, of which nothing was left out."""
    return WindowUse(32_768, tokens, 1, 0, 0)


class NoDatabase:
    """For schemas that ask none: queries are read here, too."""

    async def for_query(self) -> "NoDatabase":
        """As a database without a replica."""
        return self
