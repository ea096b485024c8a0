"""Documents that are sent once and then named: by their hash, or by their id in a manifest."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from app.core.settings import Settings, SettingsError
from app.core.settings.limits import LimitSettings
from app.graph.body import GraphQLRequest
from app.graph.documents import REFUSED_DOCUMENTS, Documents, PersistedQueryNotFound
from app.graph.manifest import read_manifest
from tests.graph.wire import SCHEMA, wire

ME = "query Me { me }"
COUNT = "subscription Count { count(to: 1) }"


def digest(text: str) -> str:
    """The hash by which a document is named."""
    return sha256(text.encode()).hexdigest()


def by_hash(text: str, **more: Any) -> dict[str, Any]:
    """A request that names its document."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": digest(text)}}, **more}


async def test_a_document_is_sent_once_and_named_from_then_on() -> None:
    async with wire() as served, served.http() as client, served.socket() as socket:
        unknown = await client.post("/graphql", json=by_hash(ME))
        (error,) = unknown.json()["errors"]
        # As Apollo's clients want it: any other status turns persisted queries off.
        assert (unknown.status_code, error["message"]) == (200, "PersistedQueryNotFound")
        assert error["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        assert "data" not in unknown.json()

        me = {"data": {"me": "alice@default"}}
        assert (await client.post("/graphql", json=by_hash(ME, query=ME))).json() == me
        assert (await client.post("/graphql", json=by_hash(ME))).json() == me
        extensions = json.dumps(by_hash(ME)["extensions"])
        assert (await client.get("/graphql", params={"extensions": extensions})).json() == me

        await socket.say(id="a", type="subscribe", payload=by_hash(ME))
        assert (await socket.hear_all("a"))[0]["payload"] == me
        await socket.say(id="b", type="subscribe", payload=by_hash(COUNT))
        (refused,) = await socket.hear_all("b")
        assert refused["payload"][0]["message"] == "PersistedQueryNotFound"
        await socket.say(id="c", type="subscribe", payload=by_hash(COUNT, query=COUNT))
        assert (await socket.hear_all("c"))[0]["payload"] == {"data": {"count": 1}}

        for wrong, field in (
            (by_hash(ME, query=ME + " "), "extensions.persistedQuery.sha256Hash"),
            ({"query": ME, "extensions": {"persistedQuery": {"version": 2, "sha256Hash": digest(ME)}}},
             "extensions.persistedQuery"),
            ({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "abc"}}}, "extensions.persistedQuery"),
            ({"extensions": {"persistedQuery": digest(ME)}}, "extensions.persistedQuery"),
            ({"query": ME, "extensions": [1]}, "extensions"),
            ({"extensions": {}}, "query"),
            ({"documentId": 5}, "documentId"),
            ({"documentId": "me"}, "documentId"),
        ):  # fmt: skip
            response = await client.post("/graphql", json=wrong)
            found = response.json()["errors"][0]["extensions"]
            assert (response.status_code, found["code"], found["field"]) == (400, "BAD_USER_INPUT", field)


@pytest.mark.parametrize("shape", ["apollo", "plain"])
async def test_only_trusted_documents_are_executed(tmp_path: Path, shape: str) -> None:
    manifest = tmp_path / "manifest.json"
    texts = {"me": ME, "count": COUNT, digest("what was printed otherwise"): "{ correlation }"}
    operations = [{"id": id_, "name": "X", "type": "query", "body": text} for id_, text in texts.items()]
    apollo = {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}
    manifest.write_text(json.dumps(apollo if shape == "apollo" else texts))
    async with wire(trusted_documents=manifest) as served, served.http() as client, served.socket() as socket:
        me = {"data": {"me": "alice@default"}}
        for asked in ({"documentId": "me"}, by_hash(ME), {"query": ME}, by_hash(ME, query=ME, documentId="me")):
            assert (await client.post("/graphql", json=asked)).json() == me
        assert (await client.get("/graphql", params={"documentId": "me"})).json() == me
        named = by_hash("what was printed otherwise")
        assert "correlation" in (await client.post("/graphql", json=named)).json()["data"]
        await socket.say(id="a", type="subscribe", payload={"documentId": "count"})
        assert (await socket.hear_all("a"))[0]["payload"] == {"data": {"count": 1}}

        for refused in (
            {"query": "{ me }"}, {"query": ME + " "}, {"query": "{ nonsense"}, {"documentId": "you"}, by_hash("{ me }"),
            by_hash("{ me }", query="{ me }"), {"documentId": "me", "query": COUNT},
        ):  # fmt: skip
            response = await client.post("/graphql", json=refused)
            found = response.json()["errors"][0]["extensions"]
            assert (response.status_code, found["code"]) == (403, "FORBIDDEN")
            assert found["hint"]
        await socket.say(id="b", type="subscribe", payload={"query": "{ me }"})
        assert (await socket.hear_all("b"))[0]["payload"][0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{", "file"),
        ("[]", "file"),
        ('{"a": "{ me }", "b": ""}', "document b"),
        ('{"a": 5}', "document a"),
        ('{"format": "other"}', "format"),
        ('{"format": "apollo-persisted-query-manifest", "version": 1}', "operations"),
        (
            '{"format": "apollo-persisted-query-manifest", "version": 1, "operations": [{"body": "x"}]}',
            r"operations\[0\]",
        ),
        ('{"a": "{ me }", "b": "{ nonsense }"}', "document b: Cannot query field"),
        ('{"a": "{ me }", "c": "{ me"}', "document c: Syntax Error"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_told_at_the_start(tmp_path: Path, text: str, place: str) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(text)

    with pytest.raises(SettingsError, match=place):
        Documents(SCHEMA.core, Settings(trusted_documents=manifest))


def test_a_manifest_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no file"):
        LimitSettings(trusted_documents=tmp_path / "none.json")
    with pytest.raises(SettingsError, match="cannot be read"):
        read_manifest(tmp_path)


def test_what_is_kept_is_bounded_and_refused_documents_drive_out_no_others() -> None:
    known = Documents(SCHEMA.core, LimitSettings(), most=3)
    hashed = GraphQLRequest("", extensions=by_hash(ME)["extensions"])
    first = known.find(GraphQLRequest(ME, extensions=hashed.extensions))

    for number in range(REFUSED_DOCUMENTS + 10):
        assert known.prepared(f"{{ nonsense{number} }}").errors
    assert known.find(hashed) is first
    for number in range(2):
        known.prepared(f"{{ a{number}: me }}")
    assert known.find(hashed) is first
    for number in range(3):
        known.prepared(f"{{ b{number}: me }}")

    with pytest.raises(PersistedQueryNotFound):
        known.find(hashed)
    assert known.prepared(ME) is not first


def test_the_bytes_of_what_is_kept_are_bounded() -> None:
    known = Documents(SCHEMA.core, LimitSettings(), most_bytes=100_000)
    large, small = "{ me }" + " " * 20_000, "{ me }"

    first = known.prepared(large)
    assert known.prepared(large) is first
    kept = known.prepared(small)
    assert known.prepared(small) is kept
    assert known.prepared(large + " ") is not None
    assert known.prepared(large) is not first
