"""An HTTP server that does nothing but read and answer: the least that a request costs with uvicorn."""

from starlette.types import Receive, Scope, Send

ANSWER = b'{"data":{"__typename":"Query"}}'


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Read a body to its end, and answer."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(ANSWER))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})
