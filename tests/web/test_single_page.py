"""What the routes of a single-page application answer: headers, caching, and what is refused."""

import re
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.pages.console import PAGES, console
from app.pages.playground import playground
from app.pages.single_page import SinglePage
from tests.forked import REPOSITORY
from tests.web.server import serving

_PAGE = b"<!doctype html><title>playground</title>"
_SCRIPT = b"export {};"


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    """A built playground in small, with a secret beside it and one above it."""
    built = tmp_path / "dist" / "playground"
    (built / "assets" / "nested").mkdir(parents=True)
    (built / "index.html").write_bytes(_PAGE)
    (built / "assets" / "index-Ab12.js").write_bytes(_SCRIPT)
    (built / "assets" / "style-Cd34.css").write_bytes(b"html {}")
    (built / "assets" / "font-Ef56.woff2").write_bytes(b"wOF2")
    (built / "assets" / ".hidden.js").write_bytes(b"secret")
    (built / "assets" / "nested" / "deep.js").write_bytes(b"secret")
    (built / "secret.js").write_bytes(b"secret")
    (tmp_path / "secret.js").write_bytes(b"secret")
    return built


@pytest.fixture
def client(assets: Path) -> TestClient:
    return TestClient(Starlette(routes=playground(assets).routes()))


def test_page_is_revalidated_on_each_visit(client: TestClient) -> None:
    first = client.get("/graphiql")
    again = client.get("/graphiql", headers={"If-None-Match": first.headers["etag"]})
    weakly = client.get("/graphiql", headers={"If-None-Match": f'"other", W/{first.headers["etag"]}'})

    assert (first.status_code, first.content) == (200, _PAGE)
    assert first.headers["content-type"] == "text/html; charset=utf-8"
    assert first.headers["cache-control"] == "no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert weakly.status_code == 304


def test_rebuilt_page_is_served_without_a_restart(client: TestClient, assets: Path) -> None:
    before = client.get("/graphiql")

    (assets / "index.html").write_bytes(b"<!doctype html>")
    after = client.get("/graphiql", headers={"If-None-Match": before.headers["etag"]})

    assert (after.status_code, after.content) == (200, b"<!doctype html>")


def test_page_with_a_slash_leads_to_the_page(client: TestClient) -> None:
    assert client.get("/graphiql/").content == _PAGE


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("index-Ab12.js", "text/javascript; charset=utf-8"),
        ("style-Cd34.css", "text/css; charset=utf-8"),
        ("font-Ef56.woff2", "font/woff2"),
    ],
)
def test_asset_is_kept_by_the_browser(client: TestClient, name: str, media_type: str) -> None:
    answer = client.get(f"/graphiql/assets/{name}")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "missing.js",
        "nested",
        "nested/deep.js",
        ".hidden.js",
        "..",
        "../secret.js",
        "%2e%2e/secret.js",
        "..%2fsecret.js",
        "..%2f..%2f..%2fsecret.js",
        "..%5csecret.js",
        "%2fetc%2fpasswd",
        "nested%2f..%2findex-Ab12.js",
        "index-Ab12.js%00",
        "index-Ab12.j%C5%9B",
    ],
)
def test_nothing_but_an_asset_is_served(assets: Path, name: str) -> None:
    with serving(Starlette(routes=playground(assets).routes())) as base_url:
        status, body = _get_as_written(base_url, f"/graphiql/assets/{name}")

    assert (status, body) == (404, b"Not Found")


def test_missing_asset_is_not_remembered(client: TestClient) -> None:
    answer = client.get("/graphiql/assets/missing.js")

    assert (answer.status_code, answer.text) == (404, "Not Found")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/graphiql", "/graphiql/assets/index-Ab12.js", "/graphiql/assets/missing.js"])
def test_every_answer_is_protected(client: TestClient, path: str) -> None:
    answer = client.get(path)

    assert answer.headers["content-security-policy"] == playground().security_policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("page", [console(), playground()], ids=lambda page: page.name)
def test_policy_lets_no_script_in_but_ours(page: SinglePage) -> None:
    directives = dict(part.strip().split(" ", 1) for part in page.security_policy.split(";"))

    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["connect-src"] == "'self'"
    assert directives["base-uri"] == directives["form-action"] == directives["frame-ancestors"] == "'none'"


@pytest.mark.parametrize("path", ["/graphiql", "/graphiql/assets/index-Ab12.js"])
def test_head_answers_like_get(client: TestClient, path: str) -> None:
    asked, told = client.get(path), client.head(path)

    assert (told.status_code, told.content) == (200, b"")
    assert told.headers == asked.headers


@pytest.mark.parametrize("path", ["/graphiql", "/graphiql/assets/index-Ab12.js"])
def test_nothing_can_be_sent(client: TestClient, path: str) -> None:
    assert client.post(path, content=b"{}").status_code == 405


def test_page_that_was_not_built_says_what_to_do(tmp_path: Path) -> None:
    client = TestClient(Starlette(routes=playground(tmp_path / "nowhere").routes()))

    page, asset = client.get("/graphiql"), client.get("/graphiql/assets/index-Ab12.js")

    assert page.status_code == 503
    assert "make setup" in page.text
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["content-security-policy"] == playground().security_policy
    assert asset.status_code == 404


def _get_as_written(base_url: str, path: str) -> tuple[int, bytes]:
    """Status and body of a path that no client has tidied: most resolve `..` themselves before they send it."""
    connection = HTTPConnection(urlsplit(base_url).netloc, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["/", *(f"/{page}" for page in PAGES), "/chat/Q2hhdFNlc3Npb246MQ==", "/workflow/a/b"])
def test_link_to_a_page_of_the_console_leads_there(assets: Path, path: str) -> None:
    client = TestClient(Starlette(routes=console(assets).routes()))

    assert client.get(path).content == _PAGE


def test_unknown_page_of_the_console_is_not_found(assets: Path) -> None:
    client = TestClient(Starlette(routes=console(assets).routes()))

    assert client.get("/nowhere").status_code == 404


def test_pages_of_the_console_are_those_of_its_router() -> None:
    router = (REPOSITORY / "web" / "console" / "app" / "router.tsx").read_text()

    assert set(re.findall(r'path: "/?([a-z-]+)', router)) == set(PAGES)
