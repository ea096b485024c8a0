"""Content encodings: those in which a build has left its files, and which of them a client takes."""

from types import MappingProxyType

SUFFIXES = MappingProxyType({"br": ".br", "gzip": ".gz"})
"""What is added to a file's name, by encoding: the one that makes files smallest first."""


def accepted(accept_encoding: str) -> list[str]:
    """The encodings of `SUFFIXES` that the header of this value allows, best first (RFC 9110, 12.5.3).

    A weight only allows or forbids: whoever takes two is best served with the smaller file.
    """
    allowed = {}
    for part in accept_encoding.lower().split(","):
        name, _, parameter = part.partition(";")
        allowed[name.strip()] = not _is_zero(parameter)
    return [name for name in SUFFIXES if allowed.get(name, allowed.get("*", False))]


def _is_zero(parameter: str) -> bool:
    """Whether it is a weight of nothing at all: `q=0`, `q=0.000`."""
    name, _, weight = parameter.partition("=")
    return name.strip() == "q" and weight.strip().strip("0.") == ""
