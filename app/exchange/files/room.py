"""How much of files may be in memory at once."""

import asyncio


class Room:
    """So many bytes for all that work side by side. What is larger than all of it has it for itself."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._held_bytes = 0
        self._given_back = asyncio.Event()

    async def take(self, bytes_: int) -> None:
        """Wait until there is room for so much, and hold it."""
        while self._held_bytes and self._held_bytes + bytes_ > self._most_bytes:
            self._given_back.clear()
            await self._given_back.wait()
        self._held_bytes += bytes_

    def give_back(self, bytes_: int) -> None:
        """Let others have what was taken."""
        self._held_bytes -= bytes_
        self._given_back.set()
