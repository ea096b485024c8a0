"""Structured logs: lines for people on a terminal, JSON everywhere else."""

import logging
import sys
from contextlib import AbstractContextManager

import structlog
from structlog.typing import Processor

from app.core.actor import CorrelationId


def correlated(correlation: CorrelationId) -> AbstractContextManager[None]:
    """While the block lasts, what is logged, and what the database is asked, bears the correlation id.

    Also in tasks that are started in it. Only lines and statements take it from here: all else has an Actor.
    """
    return structlog.contextvars.bound_contextvars(correlation_id=correlation)


def correlate(correlation: CorrelationId) -> None:
    """The same until the task ends: for one who learns the id on the way."""
    structlog.contextvars.bind_contextvars(correlation_id=correlation)


def current_correlation() -> str | None:
    """The correlation id of what is being done; None where nobody asked for it."""
    found: str | None = structlog.contextvars.get_contextvars().get("correlation_id")
    return found


def configure_logging(level: str) -> None:
    """Send every log line, the libraries' too, to standard error in one format."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    terminal = sys.stderr.isatty()
    # structlog 26 prints the local variables of every frame where rich is installed: what people wrote is among them.
    stacks = structlog.dev.RichTracebackFormatter(show_locals=False)
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=stacks) if terminal else structlog.processors.JSONRenderer()
    )
    stack: list[Processor] = [] if terminal else [structlog.processors.format_exc_info]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *stack, renderer],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # Our own lines tell what a migration does and that a job is run again; clients of models, when debugging, log whole
    # conversations.
    for library in ("alembic", "anthropic", "httpcore2", "httpx2", "openai", "pgqueuer"):
        logging.getLogger(library).setLevel(logging.WARNING)
    # It warns of every form that is none, which is refused, and told as all that is.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )  # fmt: skip
