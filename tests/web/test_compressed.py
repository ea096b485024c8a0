"""What a build has compressed is handed to whom takes it so: the encoding, its headers, and its own tag."""

import gzip
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.pages.encodings import accepted
from app.pages.playground import playground

_PAGE = b"<!doctype html><title>playground</title>"
_SCRIPT = b"export {};"
_BROTLI = b"stands for what Brotli made: nobody here reads it"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A built playground in small: the page and its script are compressed, the font is not."""
    (tmp_path / "assets").mkdir()
    for name, content in (("index.html", _PAGE), ("assets/index-Ab12.js", _SCRIPT)):
        (tmp_path / name).write_bytes(content)
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
        (tmp_path / f"{name}.br").write_bytes(_BROTLI + name.encode())
    (tmp_path / "assets" / "font-Ef56.woff2").write_bytes(b"wOF2")
    return tmp_path


@pytest.fixture
def client(built: Path) -> TestClient:
    return TestClient(Starlette(routes=playground(built).routes()))


@pytest.mark.parametrize(
    ("header", "encodings"),
    [
        ("", []),
        ("identity", []),
        ("deflate, zstd", []),
        ("gzip", ["gzip"]),
        ("gzip, deflate, br, zstd", ["br", "gzip"]),
        ("GZIP;q=0.5 , Br", ["br", "gzip"]),
        ("br;q=0, gzip", ["gzip"]),
        ("br; q=0.000, gzip; q=0.001", ["gzip"]),
        ("*", ["br", "gzip"]),
        ("br;q=0, *", ["gzip"]),
        ("gzip, *;q=0", ["gzip"]),
        ("*;q=0", []),
        ("brotli", []),
    ],
)
def test_encodings_that_a_header_allows(header: str, encodings: list[str]) -> None:
    assert accepted(header) == encodings


@pytest.mark.parametrize(
    ("path", "plain", "media_type", "caching"),
    [
        ("/graphiql", _PAGE, "text/html; charset=utf-8", "no-cache"),
        (
            "/graphiql/assets/index-Ab12.js",
            _SCRIPT,
            "text/javascript; charset=utf-8",
            "public, max-age=31536000, immutable",
        ),
    ],
)
def test_smallest_encoding_that_is_taken_is_sent(
    client: TestClient, path: str, plain: bytes, media_type: str, caching: str
) -> None:
    answers = {header: _asked(client, path, header) for header in ("identity", "gzip", "gzip, br")}

    sent = {header: (answer.headers.get("content-encoding"), body) for header, (answer, body) in answers.items()}
    name = "index.html" if path == "/graphiql" else "assets/index-Ab12.js"
    assert sent["identity"] == (None, plain)
    assert (sent["gzip"][0], gzip.decompress(sent["gzip"][1])) == ("gzip", plain)
    assert sent["gzip, br"] == ("br", _BROTLI + name.encode())
    for answer, body in answers.values():
        assert answer.headers["content-type"] == media_type
        assert answer.headers["cache-control"] == caching
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["content-length"] == str(len(body))
        assert answer.headers["content-security-policy"] == playground().security_policy
    assert len({answer.headers["etag"] for answer, _ in answers.values()}) == 3


def test_tag_of_one_encoding_is_not_that_of_another(client: TestClient) -> None:
    by_brotli, _ = _asked(client, "/graphiql", "br")

    known, _ = _asked(client, "/graphiql", "br", by_brotli.headers["etag"])
    other, body = _asked(client, "/graphiql", "identity", by_brotli.headers["etag"])

    assert (known.status_code, known.headers["vary"]) == (304, "Accept-Encoding")
    assert (other.status_code, body) == (200, _PAGE)


def test_what_was_not_compressed_is_sent_as_it_is(client: TestClient) -> None:
    answer, body = _asked(client, "/graphiql/assets/font-Ef56.woff2", "br, gzip")

    assert (answer.status_code, body) == (200, b"wOF2")
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("suffix", [".br", ".gz"])
def test_compressed_file_is_no_asset_of_its_own(client: TestClient, suffix: str) -> None:
    assert client.get(f"/graphiql/assets/index-Ab12.js{suffix}").status_code == 404


def _asked(client: TestClient, path: str, encodings: str, known: str = "") -> tuple[httpx2.Response, bytes]:
    """An answer and its body as it was sent."""
    headers = {"Accept-Encoding": encodings, "If-None-Match": known}
    with client.stream("GET", path, headers=headers) as answer:
        return answer, b"".join(answer.iter_raw())
