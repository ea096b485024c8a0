"""Pages of other sites: they read and change nothing, unless the settings name where they come from."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from app.asgi import layers
from app.core.settings import Settings
from tests.graph.wire import wire

FRIEND, STRANGER = "https://app.example.com", "https://evil.example"
READABLE = "access-control-allow-origin"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type,authorization,x-colloquy-preflight",
}
COUNT = "subscription { count(to: 1) }"
SAY = 'mutation { say(input: {text: "a"}) { said } }'


async def test_pages_of_named_origins_may_ask_and_read_also_refusals() -> None:
    async with wire(cors_origins=f"{FRIEND}, http://localhost:3000") as served, served.http() as http:
        asked = await http.options("/graphql", headers={"Origin": FRIEND, **PREFLIGHT})
        answers = [
            await http.post("/graphql", json={"query": "{ me }"}, headers={"Origin": FRIEND}),
            await http.post("/graphql", json={"query": "{"}, headers={"Origin": FRIEND}),
            await http.post("/graphql", content=b"{}", headers={"Origin": FRIEND, "Content-Type": "text/plain"}),
            await http.put("/graphql", headers={"Origin": FRIEND}),
            await http.get("/nowhere", headers={"Origin": FRIEND}),
            await http.get("/graphql", headers={"Origin": FRIEND, "Host": "evil.example"}),
            await http.post(
                "/graphql", json={"query": COUNT},
                headers={"Origin": FRIEND, "Accept": "text/event-stream"},
            ),
        ]  # fmt: skip

    assert (asked.status_code, asked.headers[READABLE]) == (200, FRIEND)
    assert asked.headers["access-control-allow-headers"] == PREFLIGHT["Access-Control-Request-Headers"]
    assert asked.headers["x-correlation-id"]
    assert [answer.status_code for answer in answers] == [200, 400, 415, 405, 404, 400, 200]
    for answer in answers:
        assert answer.headers[READABLE] == FRIEND
        assert {"x-correlation-id", "retry-after"} <= set(answer.headers["access-control-expose-headers"].split(", "))
        assert "access-control-allow-credentials" not in answer.headers
        assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("origins", [None, FRIEND])
async def test_pages_of_other_origins_get_no_leave_and_read_nothing(origins: str | None) -> None:
    async with wire(cors_origins=origins) as served, served.http() as http:
        asked = await http.options("/graphql", headers={"Origin": STRANGER, **PREFLIGHT})
        answers = [
            await http.get("/graphql", params={"query": "{ me }"}, headers={"Origin": STRANGER}),
            await http.post("/graphql", json={"query": "{ me }"}, headers={"Origin": STRANGER}),
            await http.get("/graphql", params={"query": "{ me }"}, headers={"Origin": "null"}),
        ]

    assert asked.status_code == (405 if origins is None else 400)
    assert [answer.headers.get(READABLE) for answer in (asked, *answers)] == [None] * 4


async def test_what_a_page_can_send_without_asking_changes_nothing() -> None:
    body = httpx2.Request("POST", "http://a", json={"query": SAY}).read()
    sent: list[dict[str, Any]] = [
        *(
            {"method": "POST", "content": body, "headers": {} if kind is None else {"Content-Type": kind}}
            for kind in (None, "text/plain", "text/plain; charset=utf-8", "application/x-www-form-urlencoded", "a")
        ),
        {"method": "POST", "data": {"query": SAY}},
        {"method": "POST", "files": {"operations": (None, body), "map": (None, b"{}")}},
        {"method": "GET", "params": {"query": SAY}},
        {"method": "GET", "params": {"query": COUNT}},
        {"method": "GET", "params": {"query": COUNT}, "headers": {"Accept": "text/event-stream"}},
        {"method": "GET", "params": {"query": "{ me }"}, "headers": {"Accept": "text/event-stream"}},
    ]  # fmt: skip
    async with wire() as served, httpx2.AsyncClient(base_url=f"http://{served.host}") as http:
        statuses = [(await http.request(url="/graphql", **request)).status_code for request in sent]

        assert statuses == [415] * 6 + [403] + [405] * 4
        assert served.running.started == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403), ({"Authorization": "Basic YTpi"}, 403), ({"Authorization": "Negotiate a"}, 403),
        ({"Cookie": "a=b"}, 403), ({"Accept-Language": "de"}, 403), ({"Authorization": "Bearer a"}, 200),
        ({"X-Colloquy-Preflight": "1"}, 200), ({"Apollo-Require-Preflight": "true"}, 200),
        ({"X-Colloquy-User": "b"}, 200),
    ],
)  # fmt: skip
async def test_a_form_is_taken_with_a_header_that_no_page_sends_unasked(headers: dict[str, str], status: int) -> None:
    form = {"operations": (None, b'{"query": "{ me }"}'), "map": (None, b"{}")}
    async with wire() as served, httpx2.AsyncClient(base_url=f"http://{served.host}") as http:
        answer = await http.post("/graphql", files=form, headers=headers)

    assert answer.status_code == status


async def test_sockets_are_open_to_the_same_origins() -> None:
    async with wire(cors_origins=FRIEND) as served:
        async with served.socket(origin=Origin(FRIEND)) as socket:
            await socket.subscribe("a", "{ me }")
            assert (await socket.hear())["type"] == "next"
        for stranger in (STRANGER, FRIEND + ":8443", FRIEND.replace("https", "http"), FRIEND + ".evil.example"):
            with pytest.raises(InvalidStatus) as refused:
                async with served.socket(origin=Origin(stranger)):
                    pass
            assert refused.value.response.status_code == 403


async def test_any_page_may_ask_a_server_that_lets_nobody_in_by_their_place() -> None:
    # Settings with authentication on; what it is makes no difference here.
    settings = Settings(data_dir=Path("unused")).model_copy(update={"cors_origins": "*", "auth": "on"})
    transport = httpx2.ASGITransport(app=Starlette(middleware=layers(settings)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        asked = await http.options("/graphql", headers={"Origin": STRANGER, **PREFLIGHT})
        answer = await http.get("/nowhere", headers={"Origin": STRANGER})

    assert [found.headers[READABLE] for found in (asked, answer)] == ["*", "*"]
    assert "access-control-allow-credentials" not in asked.headers
