"""Headers of a request, for who asks for many of them."""

from starlette.datastructures import Headers
from starlette.types import Scope


class IndexedHeaders(Headers):
    """Headers found by their names. Starlette's own (1.10) go through all of them each time that one is asked for."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope=scope)
        self._lines: dict[bytes, list[bytes]] = {}
        for name, value in self._list:
            self._lines.setdefault(name, []).append(value)

    def __getitem__(self, key: str) -> str:
        return self._lines[key.lower().encode("latin-1")][0].decode("latin-1")

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower().encode("latin-1") in self._lines

    def getlist(self, key: str) -> list[str]:
        """All lines of a name, in their order."""
        return [value.decode("latin-1") for value in self._lines.get(key.lower().encode("latin-1"), ())]
