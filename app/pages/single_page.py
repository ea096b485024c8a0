"""A single-page application as its build left it: one page under some paths, and assets beside it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from anyio import Path as AsyncPath
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from app.pages.encodings import SUFFIXES, accepted

BUILT = Path(__file__).parents[2] / "web" / "dist"
"""Where `web/build.sh` writes, a folder for each application."""

_PAGE_CACHING = "no-cache"
"""The page names the assets of one build: a browser asks each time, and a 304 is the usual answer."""

_ASSET_CACHING = "public, max-age=31536000, immutable"
"""An asset's name holds a hash of its content, so that a year, the most HTTP knows, is safe."""

_ASSET_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*", re.ASCII)
"""The build writes one flat folder. No separator and no leading dot: a name that fits cannot lead out of it."""

# Written out because the standard library's table is read from the machine, and nosniff makes a wrong type fatal.
_MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}

_NOT_BUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>Colloquy {name}: not built</title>
<h1>The {name} is not built yet</h1>
<p>Run <code>make setup</code>, then reload this page. The server need not be restarted.</p>
<p>The endpoint itself works without it: <code>POST /graphql</code>.</p>
</html>
"""


def policy(**directives: str) -> str:
    """A content security policy under which nothing is loaded but what is named; `_` stands for `-`."""
    closed = {
        "default-src": "'none'",
        "script-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    named = closed | {name.replace("_", "-"): value for name, value in directives.items()}
    return "; ".join(f"{name} {value}" for name, value in named.items())


@dataclass(frozen=True, slots=True)
class SinglePage:
    """What is served from `folder`, which a build fills.

    The folder is looked at on each request: a build that ends while the server runs is seen at once, and until there is
    one the page is a 503 that says what to do. Every answer carries the content security policy. It is compressed where
    the client takes that and the build left a compressed file; each encoding has an ETag of its own.
    """

    name: str
    """As people call it, and the name of its folder."""
    folder: Path
    security_policy: str
    paths: Sequence[str]
    """Where the page is; what stands behind them is the page's own to read."""
    assets: str
    """Under which path its assets are, as its build has it."""

    def routes(self) -> list[BaseRoute]:
        """Of the page and its assets."""
        return [
            *(Route(path, self._page) for path in self.paths),
            # A whole path, not one segment: a name with a slash in it is refused here, with our headers.
            Route(f"{self.assets}/{{name:path}}", self._asset),
        ]

    async def _page(self, request: Request) -> Response:
        file, encoding = await _encoded(AsyncPath(self.folder / "index.html"), request)
        try:
            html = await file.read_bytes()
        except FileNotFoundError:
            return HTMLResponse(_NOT_BUILT.format(name=self.name), 503, self._headers("no-store"))
        etag = f'"{sha256(html).hexdigest()[:32]}"'
        headers = {**self._headers(_PAGE_CACHING), **encoding, "ETag": etag}
        if _is_known(etag, request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        return HTMLResponse(html, headers=headers)

    async def _asset(self, request: Request) -> Response:
        name = request.path_params["name"]
        file = AsyncPath(self.folder / "assets" / name)
        if not _ASSET_NAME.fullmatch(name) or file.suffix in SUFFIXES.values() or not await file.is_file():
            return PlainTextResponse("Not Found", 404, self._headers("no-store"))
        media_type = _MEDIA_TYPES.get(file.suffix, "application/octet-stream")
        sent, encoding = await _encoded(file, request)
        return FileResponse(sent, headers={**self._headers(_ASSET_CACHING), **encoding}, media_type=media_type)

    def _headers(self, caching: str) -> Mapping[str, str]:
        return {
            "Content-Security-Policy": self.security_policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cache-Control": caching,
        }


async def _encoded(file: AsyncPath, request: Request) -> tuple[AsyncPath, Mapping[str, str]]:
    """The file, or what the build made of it in an encoding that the client takes, and the headers that say so."""
    vary = {"Vary": "Accept-Encoding"}
    for encoding in accepted(",".join(request.headers.getlist("accept-encoding"))):
        encoded = file.with_name(file.name + SUFFIXES[encoding])
        if await encoded.is_file():
            return encoded, {**vary, "Content-Encoding": encoding}
    return file, vary


def _is_known(etag: str, if_none_match: str) -> bool:
    """Whether the client holds this version. A proxy may have made its tag weak: RFC 9110 compares it all the same."""
    return etag in (known.strip().removeprefix("W/") for known in if_none_match.split(","))
