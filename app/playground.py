"""The routes of the GraphQL playground: one page, and the assets its build put beside it."""

import re
from hashlib import sha256
from pathlib import Path

from anyio import Path as AsyncPath
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

ASSETS = Path(__file__).parents[1] / "web" / "dist" / "playground"
"""Where the build of `web/playground` writes."""

# 'unsafe-inline' for styles alone: Monaco 0.52 writes its themes and the position of every line into style elements
# and style attributes as it runs, and takes no nonce. Scripts get no such leave, and every worker is a file of ours.
# A socket to this origin is 'self' too (CSP 3), so that subscriptions need no ws: or wss: here.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; "
    "script-src 'self'; "
    "worker-src 'self'; "
    "connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; "
    "font-src 'self'; "
    "img-src 'self' data:; "
    "base-uri 'none'; "
    "form-action 'none'; "
    "frame-ancestors 'none'"
)

_PROTECTION = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

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
<title>Colloquy playground: not built</title>
<h1>The playground is not built yet</h1>
<p>Run <code>make setup</code>, then reload this page. The server need not be restarted.</p>
<p>The endpoint itself works without it: <code>POST /graphql</code>.</p>
</html>
"""


def playground_routes(assets: Path) -> list[BaseRoute]:
    """`/graphiql` and `/graphiql/assets/…`, served from the folder that the build of `web/playground` writes.

    The folder is looked at on each request: a build that ends while the server runs is seen at once, and until there is
    one the page is a 503 that says what to do. Every answer carries the content security policy.
    """

    async def page(request: Request) -> Response:
        return await _page(AsyncPath(assets / "index.html"), request)

    async def asset(request: Request) -> Response:
        return await _asset(AsyncPath(assets / "assets"), request.path_params["name"])

    return [
        Route("/graphiql", page, name="playground"),
        # A whole path, not one segment: a name with a slash in it is refused here, with our headers.
        Route("/graphiql/assets/{name:path}", asset, name="playground-asset"),
    ]


async def _page(index: AsyncPath, request: Request) -> Response:
    try:
        html = await index.read_bytes()
    except FileNotFoundError:
        return HTMLResponse(_NOT_BUILT, 503, {**_PROTECTION, "Cache-Control": "no-store"})
    etag = f'"{sha256(html).hexdigest()[:32]}"'
    headers = {**_PROTECTION, "Cache-Control": _PAGE_CACHING, "ETag": etag}
    if _is_known(etag, request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    return HTMLResponse(html, headers=headers)


async def _asset(folder: AsyncPath, name: str) -> Response:
    file = folder / name
    if not _ASSET_NAME.fullmatch(name) or not await file.is_file():
        return PlainTextResponse("Not Found", 404, {**_PROTECTION, "Cache-Control": "no-store"})
    media_type = _MEDIA_TYPES.get(file.suffix, "application/octet-stream")
    return FileResponse(file, headers={**_PROTECTION, "Cache-Control": _ASSET_CACHING}, media_type=media_type)


def _is_known(etag: str, if_none_match: str) -> bool:
    """Whether the client holds this version. A proxy may have made its tag weak: RFC 9110 compares it all the same."""
    return etag in (known.strip().removeprefix("W/") for known in if_none_match.split(","))
