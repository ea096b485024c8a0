"""The documents that a server knows: prepared once, found by their text, their hash or their id."""

from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema

from app.core.errors import AppError, ErrorCode
from app.core.settings.limits import LimitSettings
from app.graph.body import BadRequest, GraphQLRequest
from app.graph.manifest import ManifestProblem, read_manifest
from app.graph.preparing import Preparation, PreparedDocument

CACHED_DOCUMENTS = 1_000
"""A front end has some dozens of operations; bounded, so that made-up ones cannot fill the memory."""
CACHED_BYTES = 64 * 1024 * 1024
"""A document of 300 tokens takes some 150 KB, one of the largest that are taken a megabyte and a half."""
REFUSED_DOCUMENTS = 100
REFUSED_BYTES = 8 * 1024 * 1024
"""A client that is mistaken asks again and again; in a place of their own, where they drive out no good ones."""

_HASH_DIGITS = frozenset("0123456789abcdef")


class PersistedQueryNotFound(AppError):
    """No document of this hash is kept. The message is the one that Apollo's clients know."""

    code = ErrorCode.PERSISTED_QUERY_NOT_FOUND
    retryable = True

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound", hint="send the document with its hash")


class NotTrusted(AppError):
    """Only documents of the manifest are executed, and this is none of them."""

    code = ErrorCode.FORBIDDEN

    def __init__(self) -> None:
        super().__init__(
            "this server executes only the documents it was given",
            field="query",
            hint="send the documentId or sha256Hash of one, or its very text; new ones are added to the manifest",
        )


class Documents:
    """The documents of one schema.

    Where the settings name a manifest, all that are executed are those of it. Else any document is, and what was
    executed lately is kept. ManifestProblem.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: LimitSettings,
        most: int = CACHED_DOCUMENTS,
        most_bytes: int = CACHED_BYTES,
    ) -> None:
        self._preparation = Preparation(schema, limits)
        path = limits.trusted_documents
        self._trusted = None if path is None else Trusted(path, self._preparation)
        self._good = _Kept(most, most_bytes)
        self._refused = _Kept(REFUSED_DOCUMENTS, REFUSED_BYTES)
        self._texts: dict[str, str] = {}

    def find(self, asked: GraphQLRequest) -> PreparedDocument:
        """The document that is asked for, with its errors if it has some.

        BadRequest, PersistedQueryNotFound; NotTrusted where only some are executed.
        """
        digest = _digest(asked.extensions)
        if self._trusted is not None:
            return self._trusted.find(asked, digest)
        if asked.document_id is not None:
            hint = "send the document as query"
            raise BadRequest("this server was given no documents with ids", field="documentId", hint=hint)
        if digest is None:
            return self.prepared(asked.query)
        if asked.query:
            return self._persisted(asked.query, digest)
        text = self._texts.get(digest)
        if text is None:
            raise PersistedQueryNotFound
        return self.prepared(text)

    def prepared(self, text: str) -> PreparedDocument:
        """The document of a text, as it was prepared before where that is still kept."""
        found = self._good.get(text) or self._refused.get(text)
        if found is None:
            found = self._preparation.prepare(text)
            for digest in (self._refused if found.errors else self._good).keep(text, found):
                del self._texts[digest]
        return found

    def _persisted(self, text: str, digest: str) -> PreparedDocument:
        if sha256(text.encode()).hexdigest() != digest:
            raise BadRequest(
                "sha256Hash is not the hash of the query",
                field="extensions.persistedQuery.sha256Hash",
                hint="send the SHA-256 of the very text, in hexadecimal",
            )
        found = self.prepared(text)
        if not found.errors and self._good.name(text, digest):
            self._texts[digest] = text
        return found


class Trusted:
    """The only documents that are executed, prepared when the server starts and kept as long as it runs."""

    def __init__(self, path: Path, preparation: Preparation) -> None:
        texts = read_manifest(path)
        self._by_text = {text: preparation.prepare(text) for text in texts.values()}
        self._by_id = {id_: self._by_text[text] for id_, text in texts.items()}
        self._by_digest = {sha256(text.encode()).hexdigest(): found for text, found in self._by_text.items()}
        for id_, found in self._by_id.items():
            if found.errors:
                raise ManifestProblem(path, f"document {id_}", found.errors[0].message)

    def find(self, asked: GraphQLRequest, digest: str | None) -> PreparedDocument:
        """One of them, by whatever the client names it by; what it names by two must be the same. NotTrusted."""
        found: list[PreparedDocument | None] = [
            *([self._by_id.get(asked.document_id)] if asked.document_id is not None else ()),
            # The ids of a manifest may be hashes, of another text than the one that was sent to make it.
            *([self._by_digest.get(digest) or self._by_id.get(digest)] if digest is not None else ()),
            *([self._by_text.get(asked.query)] if asked.query else ()),
        ]
        first = found[0]
        if first is None or any(other is not first for other in found):
            raise NotTrusted
        return first


class _Kept:
    """Documents that were used lately, bounded by their number and by what they take of the memory."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._documents: OrderedDict[str, PreparedDocument] = OrderedDict()
        self._digests: dict[str, str] = {}

    def get(self, text: str) -> PreparedDocument | None:
        found = self._documents.get(text)
        if found is not None:
            self._documents.move_to_end(text)
        return found

    def name(self, text: str, digest: str) -> bool:
        """Have the hash of a document dropped with it; whether the document is kept at all."""
        if text not in self._documents:
            return False
        self._digests[text] = digest
        return True

    def keep(self, text: str, document: PreparedDocument) -> list[str]:
        """Add a document; the hashes of those that had to go for it."""
        self._documents[text] = document
        self._bytes += document.size_bytes
        dropped = []
        while len(self._documents) > self._most or self._bytes > self._most_bytes:
            oldest, gone = self._documents.popitem(last=False)
            self._bytes -= gone.size_bytes
            if oldest in self._digests:
                dropped.append(self._digests.pop(oldest))
        return dropped


def _digest(extensions: Mapping[str, Any] | None) -> str | None:
    """The hash by which a client names its document; None where it does not. BadRequest."""
    if extensions is None or "persistedQuery" not in extensions:
        return None
    match extensions["persistedQuery"]:
        case {"version": 1, "sha256Hash": str(digest)} if len(digest) == 64 and _HASH_DIGITS.issuperset(digest):
            return digest
        case _:
            raise BadRequest(
                "persistedQuery must have version 1 and a sha256Hash",
                field="extensions.persistedQuery",
                hint='send {"version": 1, "sha256Hash": "<64 hexadecimal digits>"}',
            )
