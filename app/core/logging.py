"""Structured logs: lines for people on a terminal, JSON everywhere else."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import orjson
import structlog
from structlog.typing import Processor

from app.core.actor import CorrelationId


@contextmanager
def correlated(correlation: CorrelationId) -> Iterator[None]:
    """While the block lasts, what is logged, and what the database is asked, bears the correlation id.

    Also in tasks that are started in it. Only lines and statements take it from here: all else has an Actor.
    """
    # structlog's own way to bind for a block (26.1) reads all variables of the context first, at three times the cost.
    before = structlog.contextvars.bind_contextvars(correlation_id=correlation)
    try:
        yield
    finally:
        structlog.contextvars.reset_contextvars(**before)


def correlate(correlation: CorrelationId) -> None:
    """The same until the task ends: for one who learns the id on the way."""
    structlog.contextvars.bind_contextvars(correlation_id=correlation)


def current_correlation() -> str | None:
    """The correlation id of what is being done; None where nobody asked for it."""
    found: str | None = structlog.contextvars.get_contextvars().get("correlation_id")
    return found


def line(logger: logging.Logger, level: int, event: str, fields: Mapping[str, object]) -> None:
    """Log what is logged for each operation, in the form of all lines, at a fraction of structlog's time.

    For fields that are JSON as they are. They go past structlog's processors: `capture_logs` does not see them.
    """
    if not logger.isEnabledFor(level):
        return
    name = logging.getLevelName(level).lower()
    entry = {**fields, "event": event, **structlog.contextvars.get_contextvars(), "level": name}
    entry["logger"], entry["timestamp"] = logger.name, f"{datetime.now(UTC).isoformat()[:-6]}Z"
    # Made by hand: logging would look through the stack for who called, and nobody reads that.
    record = logging.LogRecord(logger.name, level, "", 0, entry, None, None)
    record._logger, record._name = logger, name  # how ProcessorFormatter knows lines of structlog (26.1)
    logger.handle(record)


_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


class LineFormatter(structlog.stdlib.ProcessorFormatter):
    """Lines off a terminal: one JSON object each."""

    def __init__(self) -> None:
        render = structlog.processors.JSONRenderer()
        without = structlog.stdlib.ProcessorFormatter.remove_processors_meta
        super().__init__(foreign_pre_chain=_SHARED, processors=[without, structlog.processors.format_exc_info, render])

    def format(self, record: logging.LogRecord) -> str:
        """The line; of `line` by the shortest way."""
        if isinstance(record.msg, dict) and not record.pathname:
            return orjson.dumps(record.msg).decode()
        return super().format(record)


_PROCESSORS: list[Processor] = [
    structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
]  # fmt: skip
"""One list for good: a logger that was used keeps the one that it has seen."""


def configure_logging(level: str) -> None:
    """Send every log line, the libraries' too, to standard error in one format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_for_people() if sys.stderr.isatty() else LineFormatter())
    # No line names a thread or a process: to find that out takes a third of the time of a line.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    configure_loggers()


def configure_loggers() -> None:
    """Send the lines of structlog through the standard library's handlers, and fewer of libraries."""
    # Our own lines tell what a migration does and that a job is run again; clients of models, when debugging, log whole
    # conversations.
    for library in ("alembic", "anthropic", "httpcore2", "httpx2", "openai", "pgqueuer"):
        logging.getLogger(library).setLevel(logging.WARNING)
    # It warns of every form that is none, which is refused, and told as all that is.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    structlog.configure(
        processors=_PROCESSORS,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )  # fmt: skip


def _for_people() -> structlog.stdlib.ProcessorFormatter:
    # structlog 26 prints the local variables of every frame where rich is installed: what people wrote is among them.
    stacks = structlog.dev.RichTracebackFormatter(show_locals=False)
    render = structlog.dev.ConsoleRenderer(exception_formatter=stacks)
    without = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_SHARED, processors=[without, render])
