"""Plain endpoints of rooms: refusals are JSON, foreign forms stay outside, and no broken body looks whole."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from threading import Thread
from typing import Any, cast

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.asgi import make_context
from app.container import Container
from app.core.errors import AppError, ErrorCode, LimitExceeded, ValidationError
from app.core.settings import Settings
from app.db.database import Database
from app.db.errors import DatabaseUnavailable
from app.graph.context import Context
from app.graph.endpoints import Endpoints, json_response
from app.graph.errors import MASK
from app.graph.refusals import status_of
from app.identity.service import OpenDoor, correlation_id
from app.messages.errors import MessageNotFound


class TooOften(LimitExceeded):
    """One request more than is taken for now."""

    retry_after_seconds = 2.1


REFUSALS: dict[str, Exception] = {
    "invalid": ValidationError("the name is odd", field="name", hint="choose another", details={"longest": 5}),
    "missing": MessageNotFound(),
    "away": DatabaseUnavailable(),
    "often": TooOften("not so often"),
    "fault": RuntimeError("a secret"),
}


async def whoami(request: Request, context: Context) -> Response:
    """Answers who asks."""
    return json_response({"user": context.actor.user_id, "tenant": context.actor.tenant_id})


async def refuse(request: Request, context: Context) -> Response:
    """Raises what its path names."""
    raise REFUSALS[request.path_params["what"]]


async def take(request: Request, context: Context) -> Response:
    """Answers how much it was sent."""
    return json_response({"bytes": len(await request.body())}, 201)


async def stream(request: Request, context: Context) -> Response:
    """Streams three pieces; told to break, it does so after the second."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two "
        if request.query_params.get("breaks"):
            raise ValidationError("what comes next is gone")
        yield b"three"

    return StreamingResponse(pieces(), headers={"content-type": "text/plain", "x-kept": "yes"})


def application() -> Starlette:
    """Some endpoints over no database."""
    endpoint = Endpoints(correlation_id, make_context)
    app = Starlette(
        routes=[
            endpoint("/whoami", get=whoami),
            endpoint("/refuse/{what}", get=refuse),
            endpoint("/things", get=stream, post=take),
        ]
    )
    app.state.container = Container(Settings(data_dir=Path("unused")), "unused", cast(Database, None), OpenDoor(), {})
    return app


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    """Asks the application in this process."""
    transport = httpx2.ASGITransport(app=application())
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def served() -> Iterator[str]:
    """The application over a socket; its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(), lifespan="off", log_config=None))
    thread = Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()


async def test_a_handler_knows_who_asks(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/whoami", headers={"X-Colloquy-User": "carol@acme", "X-Correlation-ID": "mine"})

    assert answer.json() == {"user": "carol", "tenant": "acme"}
    assert answer.headers["x-correlation-id"] == "mine"


async def test_nobody_known_is_refused(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/whoami", headers={"X-Colloquy-User": "not a name"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHENTICATED")


async def test_a_refusal_tells_all_that_the_caller_can_act_on(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/refuse/invalid", headers={"X-Correlation-ID": "mine"})

    assert answer.status_code == 400
    assert answer.json() == {
        "error": {
            "code": "VALIDATION_ERROR", "message": "the name is odd", "field": "name", "hint": "choose another",
            "retryable": False, "details": {"longest": 5},
        },
        "correlationId": "mine",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("missing", 404, "MESSAGE_NOT_FOUND"),
        ("away", 503, "PERSISTENCE_ERROR"),
        ("fault", 500, "INTERNAL_SERVER_ERROR"),
    ],
)
async def test_a_refusal_has_the_status_of_its_code(
    http: httpx2.AsyncClient, what: str, status: int, code: str
) -> None:
    answer = await http.get(f"/refuse/{what}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_who_comes_too_often_is_told_when_to_come_again(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/refuse/often")

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    assert answer.json()["error"]["code"] == "LIMIT_EXCEEDED"


async def test_a_compressed_body_is_refused(http: httpx2.AsyncClient) -> None:
    answer = await http.post("/things", content=b"abc", headers={"Content-Type": "a/b", "Content-Encoding": "gzip"})

    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity")


async def test_a_fault_is_masked(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/refuse/fault")

    assert answer.json()["error"]["message"] == MASK
    assert "secret" not in answer.text


def test_every_code_has_a_status_that_fits_an_error() -> None:
    def refusal(found: ErrorCode) -> AppError:
        return cast("AppError", type("Some", (AppError,), {"code": found})("some"))

    # What Apollo's clients answer by sending the document is no error to them.
    others = set(ErrorCode) - {ErrorCode.PERSISTED_QUERY_NOT_FOUND}
    assert all(400 <= status_of(refusal(found)) < 600 for found in others)
    assert status_of(refusal(ErrorCode.PERSISTED_QUERY_NOT_FOUND)) == 200


async def test_another_method_is_refused_with_those_that_are_taken(http: httpx2.AsyncClient) -> None:
    answer = await http.delete("/things")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST, HEAD")


async def test_head_has_the_headers_and_no_body(http: httpx2.AsyncClient) -> None:
    answer = await http.head("/things")

    assert (answer.status_code, answer.content, answer.headers["x-kept"]) == (200, b"", "yes")


@pytest.mark.parametrize(
    "content_type",
    [
        None, "", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded",
        "TEXT/PLAIN;charset=utf-8", "nonsense", "text/plain, application/json",
    ],
)  # fmt: skip
async def test_what_a_foreign_form_can_send_needs_a_header_that_it_cannot(
    http: httpx2.AsyncClient, content_type: str | None
) -> None:
    headers: dict[str, Any] = {} if content_type is None else {"Content-Type": content_type}

    refused = await http.post("/things", content=b"abc", headers=headers)
    taken = [
        await http.post("/things", content=b"abc", headers={**headers, name: value})
        for name, value in (
            ("X-Colloquy-Preflight", "1"), ("Apollo-Require-Preflight", "true"), ("X-Colloquy-User", "bob"),
        )
    ]  # fmt: skip

    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert [answer.json() for answer in taken] == [{"bytes": 3}] * 3


async def test_what_no_foreign_form_can_send_needs_none(http: httpx2.AsyncClient) -> None:
    answer = await http.post("/things", content=b"abc", headers={"Content-Type": "image/png"})

    assert (answer.status_code, answer.json()) == (201, {"bytes": 3})


async def test_a_body_is_streamed_to_its_end(served: str) -> None:
    async with httpx2.AsyncClient(base_url=served) as client:
        answer = await client.get("/things")

    assert answer.text == "one two three"


async def test_a_body_that_breaks_off_is_not_taken_for_a_whole_one(served: str) -> None:
    async with httpx2.AsyncClient(base_url=served) as client:
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.get("/things?breaks=1")
        again = await client.get("/whoami")

    assert again.status_code == 200
