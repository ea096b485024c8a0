"""Who comes in with an API key: it is looked up, remembered for moments, and forgotten as soon as it is revoked."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from uuid import UUID

import structlog

from app.core.actor import Actor, CorrelationId, Role, UserId
from app.core.errors import AppError
from app.db.database import Database
from app.identity import repository
from app.identity.errors import Unauthenticated
from app.identity.loaders import not_revoked, stored_key
from app.identity.models import ApiKey
from app.identity.values import ApiKeyId, ApiKeyScope, KeyDigests, KeyRef, KeyText

log = structlog.get_logger("colloquy.identity")

KEPT_SECONDS = 5.0
"""How long a key that was read lets in without being read again. So long a process may not notice that nothing reaches
its listening connection any more (KEEP_ALIVE_SECONDS in db/listening.py), and so long at most it then lets a revoked
key in; a key that is used all the time is read twelve times a minute."""

CHECK_SECONDS = 5.0
"""Between two looks at the keys of open sockets, for the wake-up that never came: as long as with requests."""

USED_SECONDS = 60.0
"""Between two notes of the same key's use: its row is then written less than it is read."""

MOST_KEPT = 10_000
"""Keys that were read, of one process: a kilobyte each. Beyond, the one that was read first goes."""

LAST_NOTE_SECONDS = 2.0
"""How long the end of a process waits for the last uses to be noted."""


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What was read of a key, and when that was begun."""

    ref: KeyRef
    key: ApiKey
    read_at: float


@dataclass(slots=True)
class _Watch:
    """Sockets and streams that a key has let in."""

    ref: KeyRef
    revoked: asyncio.Event = field(default_factory=asyncio.Event)
    open: int = 0


class Keyring:
    """One per process; `run` looks after what is open, and notes uses.

    In this process nobody is let in by a key once its revocation is committed and told, which is before it is
    acknowledged. In others that takes as long as the wake-up; where one is lost, KEPT_SECONDS for requests, and
    CHECK_SECONDS for what is open.
    """

    def __init__(
        self,
        database: Database,
        digests: KeyDigests,
        clock: Callable[[], float] = monotonic,
        check_seconds: float = CHECK_SECONDS,
    ) -> None:
        self._database = database
        self._digests = digests
        self._clock = clock
        self._check_seconds = check_seconds
        # In the order in which they were read.
        self._found: dict[UUID, _Found] = {}
        self._reading: dict[KeyRef, asyncio.Task[_Found | None]] = {}
        self._refs_in_reading: dict[UUID, set[KeyRef]] = {}
        """The same by id: a wake-up tells no tenant. Whoever makes a text up may name any id in any."""
        self._watches: dict[UUID, _Watch] = {}
        self._used: dict[KeyRef, datetime] = {}
        """Uses that are not noted yet."""
        self._noted: dict[KeyRef, float] = {}
        """When this process has noted one, of those noted within USED_SECONDS."""
        self._missed = asyncio.Event()

    @property
    def watched(self) -> int:
        """How many keys have something open."""
        return len(self._watches)

    async def admit(self, key: str, correlation: CorrelationId) -> Actor:
        """Whom a key lets in; Unauthenticated, which tells nothing of why, for any that does not."""
        text = KeyText.parse(key)
        found = await self._find(text.ref) if text is not None else None
        if text is None or found is None or not self._digests.fits(text, found.digest):
            raise _refused()
        now = datetime.now(UTC)
        if found.revoked_at is not None or (found.expires_at is not None and found.expires_at <= now):
            raise _refused()
        self._used[text.ref] = now
        return Actor(
            text.ref.tenant_id,
            UserId(found.user_id),
            frozenset(role for role in Role if role in found.roles),
            correlation,
            expires_at=found.expires_at,
            may_write=found.scope != ApiKeyScope.READ,
            key_id=found.id,
        )

    async def withdrawn(self, actor: Actor) -> None:
        """Return once the actor's key is revoked, or erased; else, and where they have none, wait for ever."""
        if actor.key_id is None:
            await asyncio.Event().wait()
            return
        with self._watching(KeyRef(actor.tenant_id, ApiKeyId(actor.key_id))) as watch:
            # It may have been revoked since it let them in: that is looked up where it was heard of, and costs nothing
            # where the key is still remembered. A database that is away leaves it to the next check.
            with suppress(AppError):
                found = await self._find(watch.ref)
                if found is None or found.revoked_at is not None:
                    watch.revoked.set()
            await watch.revoked.wait()

    def heard(self, key_id: UUID) -> None:
        """Forget a key that was revoked, with what is being read of it, and end what it has open."""
        self._found.pop(key_id, None)
        for ref in self._refs_in_reading.pop(key_id, ()):
            self._reading.pop(ref).cancel()
        watch = self._watches.get(key_id)
        if watch is not None:
            watch.revoked.set()

    def missed(self) -> None:
        """Any key may have been revoked: wake-ups were lost."""
        self._found.clear()
        for key_id in list(self._refs_in_reading):
            for ref in self._refs_in_reading.pop(key_id):
                self._reading.pop(ref).cancel()
        self._missed.set()

    async def run(self) -> None:
        """Check the keys of what is open and note uses, until cancelled; the last uses are noted then."""
        try:
            while True:
                with suppress(TimeoutError):
                    # Not wait_for, as in Feed.run.
                    async with asyncio.timeout(self._check_seconds):
                        await self._missed.wait()
                self._missed.clear()
                await self._check()
                await self.note_uses()
        finally:
            for reading in self._reading.values():
                reading.cancel()
            self._noted.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_NOTE_SECONDS):
                    await self.note_uses()

    async def note_uses(self) -> None:
        """Store when keys were used last, save those of which this process did so within USED_SECONDS."""
        since = self._clock() - USED_SECONDS
        self._noted = {ref: at for ref, at in self._noted.items() if at > since}
        due = {ref: at for ref, at in self._used.items() if ref not in self._noted}
        if not due:
            return
        try:
            async with self._database.single_statement(replayable=True) as uow:
                await repository.note_uses(uow, due)
        except AppError as error:
            # They are still there to be noted.
            log.warning("key_uses_not_noted", keys=len(due), reason=error.message)
            return
        now = self._clock()
        for ref, at in due.items():
            self._noted[ref] = now
            if self._used.get(ref) == at:
                del self._used[ref]

    async def _check(self) -> None:
        """Look up all keys that have something open, in one statement; end what is open by those that are revoked."""
        watches = list(self._watches.values())
        if not watches:
            return
        try:
            async with self._database.read() as scope:
                valid = await not_revoked(scope, [watch.ref for watch in watches])
        except AppError as error:
            log.warning("keys_not_checked", keys=len(watches), reason=error.message)
            return
        for watch in watches:
            if watch.ref.id not in valid:
                self.heard(watch.ref.id)

    async def _find(self, ref: KeyRef) -> ApiKey | None:
        """What is stored of a key; read once for all who ask at the same time, and kept for KEPT_SECONDS."""
        while True:
            kept = self._found.get(ref.id)
            if kept is not None and kept.ref == ref and self._clock() - kept.read_at < KEPT_SECONDS:
                return kept.key
            reading = self._reading.get(ref) or self._begin(ref)
            # Not awaited itself: whoever is cancelled leaves the others their answer.
            await asyncio.wait([reading])
            if reading.cancelled():
                # It was revoked meanwhile: what was read may be from before.
                continue
            found = reading.result()
            if found is None:
                return None
            if self._found.get(ref.id) is found:
                return found.key

    def _begin(self, ref: KeyRef) -> "asyncio.Task[_Found | None]":
        reading = self._reading[ref] = asyncio.create_task(self._read(ref))
        self._refs_in_reading.setdefault(ref.id, set()).add(ref)
        reading.add_done_callback(lambda done: self._end(ref, done))
        return reading

    def _end(self, ref: KeyRef, reading: "asyncio.Task[_Found | None]") -> None:
        if not reading.cancelled():
            # Seen here for the case that all who waited have left.
            reading.exception()
        if self._reading.get(ref) is reading:
            del self._reading[ref]
            refs = self._refs_in_reading[ref.id]
            refs.discard(ref)
            if not refs:
                del self._refs_in_reading[ref.id]

    async def _read(self, ref: KeyRef) -> _Found | None:
        begun = self._clock()
        async with self._database.read() as scope:
            key = await stored_key(scope, ref)
        # Revoked since it was asked for: that cancels this task, which may have nothing left to wait for.
        withdrawn = self._reading.get(ref) is not asyncio.current_task()
        if key is None or withdrawn:
            return None
        # In its place and not where it was: the first is the oldest.
        self._found.pop(ref.id, None)
        found = self._found[ref.id] = _Found(ref, key, begun)
        while len(self._found) > MOST_KEPT:
            del self._found[next(iter(self._found))]
        return found

    @contextmanager
    def _watching(self, ref: KeyRef) -> Iterator[_Watch]:
        watch = self._watches.setdefault(ref.id, _Watch(ref))
        watch.open += 1
        try:
            yield watch
        finally:
            watch.open -= 1
            if not watch.open:
                del self._watches[ref.id]


def _refused() -> Unauthenticated:
    return Unauthenticated("this API key lets nobody in", hint="send a key that is neither revoked nor expired")
