"""Which version of the program this is."""

from functools import cache
from importlib import metadata


@cache
def version() -> str:
    """As the installed package says; `unknown` where the program runs without being installed."""
    try:
        return metadata.version("colloquy")
    except metadata.PackageNotFoundError:
        return "unknown"
