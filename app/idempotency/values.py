"""A client's key, and what it is compared by."""

from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import orjson

from app.core.text import require_length

LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A key that the client chose for one request, with a digest of that request."""

    key: str
    body_hash: bytes

    @classmethod
    def of(cls, key: str, operation: str, body: object) -> "ClientKey":
        """The key of `operation` with the input `body` (anything JSON can hold); ValidationError for an unfit key.

        Two requests are the same when operation and body are, whatever the order of the body's members.
        """
        require_length(key, "clientKey", at_least=1, at_most=LONGEST_KEY)
        canonical = orjson.dumps([operation, body], option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str)
        return cls(key, sha256(canonical).digest())


class UsedKey(NamedTuple):
    """What a key was used for before."""

    body_hash: bytes
    subject_id: UUID
