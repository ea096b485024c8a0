"""Which sessions the command line writes, and where to."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from app.core.errors import ValidationError
from app.core.ids import parse_global_id
from app.db.database import Database
from app.exchange.errors import UnusableTarget
from app.exchange.loaders import OwnedSession, sessions_of
from app.identity.service import user_named
from app.sessions.values import SessionId

Chosen = Callable[[Database], AsyncIterator[OwnedSession]]


def chosen_sessions(session: str | None, user: str | None, *, everything: bool) -> Chosen:
    """The sessions that the options mean; ValidationError where they mean none, or not one thing."""
    if sum((session is not None, user is not None, everything)) != 1:
        raise ValidationError("say which sessions: --session ID, --user USER@TENANT, or --all")
    if session is not None:
        return partial(sessions_of, session_id=SessionId(parse_global_id(session, "ChatSession", "--session")))
    if user is None:
        return sessions_of
    found = user_named(user)
    if found is None:
        raise ValidationError("--user must be user or user@tenant, without spaces")
    return partial(sessions_of, user=found[0], tenant=found[1])


@contextmanager
def written_file(path: Path | None) -> Iterator[IO[bytes]]:
    """Where to write; a file is there under its name only once it is whole. UnusableTarget.

    None and `-` are the standard output, as with other programs.
    """
    if path is None or path == Path("-"):
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(path)
    except OSError as error:
        raise UnusableTarget(path, error.strerror or str(error)) from None
    finally:
        unfinished.unlink(missing_ok=True)
