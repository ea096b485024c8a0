"""What a chat is told by the server, and where the server is."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from app.core.settings import SettingsError, is_loopback

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""All but tab and line feed: what they say to a terminal is not for a model, or whoever wrote to it, to decide."""


@dataclass(frozen=True, slots=True)
class Place:
    """A server, and whom to be there."""

    url: str
    user: str | None = None
    """As `user` or `user@tenant`; None for whom the server takes us for."""
    token: str | None = field(default=None, repr=False)
    """What is shown to be let in; None where the server lets in anybody."""

    @property
    def endpoint(self) -> str:
        """Where its GraphQL is."""
        return self.url.rstrip("/").removesuffix("/graphql") + "/graphql"

    @property
    def is_near(self) -> bool:
        """Whether it is on this machine: then no proxy of the environment is asked."""
        return is_loopback(urlsplit(self.url).hostname or "")


def place_of(url: str, user: str | None, token: str | None = None) -> Place:
    """The place that somebody names; SettingsError where it cannot be one."""
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", url) or not _has_host(url):
        raise SettingsError(f"--url must be http:// or https:// with a host, such as http://127.0.0.1:8000, not {url}")
    if user is not None and not re.fullmatch(r"[!-~]+", user):
        raise SettingsError("--user must be user or user@tenant, in ASCII and without spaces")
    if token is not None and not re.fullmatch(r"[!-~]+", token):
        # Found here: what cannot stand in a header would be refused later with the token in the error's text.
        raise SettingsError("COLLOQUY_TOKEN must be visible ASCII characters without spaces")
    return Place(url, user, token)


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Appended:
    """More of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """The answer is another than what was shown of it."""

    text: str


@dataclass(frozen=True, slots=True)
class CalledTool:
    """The model asks for a tool."""

    name: str
    arguments: str
    awaiting: str | None = None
    """The execution that somebody has to approve before the answer goes on; None where nobody has to."""


@dataclass(frozen=True, slots=True)
class NextTurn:
    """The tools have answered, and the model goes on."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The server does not answer for the moment; the answer is asked for again, from where it was."""


class Ending(StrEnum):
    """How a run ended, by the names of the schema."""

    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    INTERRUPTED = "INTERRUPTED"


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing follows."""

    ending: Ending
    reason: str | None
    """Why, where the server says it: one line."""


Told = Appended | Replaced | CalledTool | NextTurn | Waiting | Ended


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that was asked for, by its ids."""

    run_id: str
    message_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Turn:
    """A message that is there already."""

    role: str
    text: str
    status: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """A session that is gone on with."""

    title: str
    turns: tuple[Turn, ...]
    last: Begun | None
    """Its newest run."""
    ending: Ending | None
    """How that ended; None while it has not."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """What the server says of itself and of us."""

    user: str
    models: tuple[str, ...]
    """Those that can be asked, the one for everything else first."""


def visible(text: str) -> str:
    """`text` without what steers a terminal."""
    return _CONTROL.sub("\ufffd", text.replace("\r\n", "\n"))


def one_line(message: str, hint: str | None = None) -> str:
    """What is wrong and how to mend it, in one line."""
    return " ".join(visible(f"{message}; {hint}" if hint else message).split())
