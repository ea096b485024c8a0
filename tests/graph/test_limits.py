"""Limits of documents: what is within them is answered, one more is refused before anything is executed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.graph.cost import INTROSPECTION_COST
from tests.graph.wire import SCHEMA, Wire, wire

SMALL: dict[str, Any] = {
    "max_document_characters": 400,
    "max_document_tokens": 60,
    "max_document_depth": 4,
    "max_document_aliases": 3,
    "max_document_directives": 3,
    "max_root_fields": 5,
    "max_document_fields": 12,
    "max_introspection_depth": 2,
    "max_cost": 40,
}


def doubled(levels: int, inner: str = "number(value: 1) { value }") -> str:
    """A short document that is long with its fragments written out."""
    between = " ".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(levels))
    return f"{{ ...F0 }} {between} fragment F{levels} on Query {{ {inner} }}"


def deep(levels: int) -> str:
    """Fields inside each other."""
    return "{ number(value: 1) " + "{ next " * (levels - 2) + "{ value }" + " }" * (levels - 2) + " }"


ALIASED = " fragment F on Query { b: me }"
CASES = [
    ("characters", 400, "{ me }".ljust(400), "{ me }".ljust(401)),
    ("tokens", 60, "{ me }" + "\n#" * 57, "{ me }" + "\n#" * 58),
    ("depth", 4, deep(4), deep(5)),
    ("aliases", 3, "{ a: me b: me c: me }", "{ a: me b: me c: me d: me }"),
    ("aliases", 3, "{ a: me ...F ...F }" + ALIASED, "{ ...F ...F ...F ...F }" + ALIASED),
    (
        "directives", 3, "{ me @skip(if: false) ... @include(if: true) { me @skip(if: false) } }",
        "{ me @skip(if: false) @include(if: true) ... @include(if: true) { me @skip(if: false) } }",
    ),
    ("rootFields", 5, "{ me me me me me }", "{ me me me me me me }"),
    ("rootFields", 5, "{ me ...F ...F } fragment F on Query { me me }", doubled(3, "me")),
    ("fields", 12, "{ number(value: 1) { " + "value " * 11 + "} }", "{ number(value: 1) { " + "value " * 12 + "} }"),
    (
        "introspectionDepth", 2, '{ __type(name: "Query") { fields { name } } }',
        '{ __type(name: "Query") { fields { type { name } } } }',
    ),
]  # fmt: skip


@pytest.fixture
async def served() -> AsyncIterator[Wire]:
    """A server of the small schema, with small limits."""
    async with wire(**SMALL) as started:
        yield started


async def answer(served: Wire, query: str, **more: Any) -> dict[str, Any]:
    """The answer to a document, over HTTP."""
    async with served.http() as client:
        found: dict[str, Any] = (await client.post("/graphql", json={"query": query, **more})).json()
        return found


async def test_each_limit_takes_what_is_at_its_bound_and_refuses_one_more(served: Wire) -> None:
    for limit, allowed, within, beyond in CASES:
        taken, refused = await answer(served, within), await answer(served, beyond)

        assert "errors" not in taken, (limit, taken)
        (error,) = refused["errors"]
        assert "data" not in refused
        found = error["extensions"]
        assert (found["code"], found["field"], found["retryable"]) == ("LIMIT_EXCEEDED", "query", False), error
        assert (found["details"]["limit"], found["details"]["allowed"]) == (limit, allowed), error
        assert found["details"]["asked"] is None or found["details"]["asked"] > allowed
        assert found["hint"]
        # Kept, and told again with the correlation id of who asks now.
        again = (await answer(served, beyond))["errors"][0]
        assert {**again["extensions"], "correlationId": ""} == {**found, "correlationId": ""}


async def test_the_cost_is_limited_and_told_on_every_transport(served: Wire) -> None:
    refused = (await answer(served, "{ __schema { types { name } } }"))["errors"][0]["extensions"]
    assert refused["code"] == "LIMIT_EXCEEDED"
    assert refused["details"] == {"cost": INTROSPECTION_COST * (1 + len(SCHEMA.core.type_map)), "limit": 40}

    wanted = {"requested": 1, "limit": 40}
    told = await answer(served, "{ number(value: 1) { value } }", extensions={"cost": True})
    assert told == {"data": {"number": {"value": 1}}, "extensions": {"cost": wanted}}
    assert "extensions" not in await answer(served, "{ me }", extensions={"cost": False})
    async with served.socket() as socket:
        payload = {"query": "subscription { count(to: 2) }", "extensions": {"cost": True}}
        await socket.say(id="a", type="subscribe", payload=payload)
        first, second, _ = await socket.hear_all("a")
        assert first["payload"] == {"data": {"count": 1}, "extensions": {"cost": wanted}}
        assert second["payload"] == {"data": {"count": 2}}
    async with served.http() as client:
        events = await client.post("/graphql", json=payload, headers={"Accept": "text/event-stream"})
    assert events.text.count('"requested":1') == 1


ATTACKS = {
    "doubling fragments": doubled(24),
    "more doubling fragments": doubled(60),
    "two megabytes": "{ me " + " " * 2_000_000 + "}",
    "depth": deep(40),
    "aliases": "{ " + " ".join(f"a{n}: me" for n in range(10_000)) + " }",
    "directives": "{ me " + "@skip(if: false) " * 5_000 + "}",
    "tokens": "{ " + "a " * 40_000 + "}",
    "the same field": "{ number(value: 1) { " + "value " * 2_400 + "} }",
    "many fragments of the same field": "{ number(value: 1) { " + " ".join(f"...F{n}" for n in range(270)) + " } } "
    + " ".join(f"fragment F{n} on Number {{ value }}" for n in range(270)),
    "introspection": "{ __schema { types " + "{ fields { type " * 6 + "{ name }" + " } }" * 6 + " } }",
    "introspection again and again": "{ "
    + " ".join(f"a{n}: __schema {{ types {{ fields {{ type {{ name }} }} }} }}" for n in range(40)) + " }",
    "unknown names": "{ number(value: 1) { " + " ".join(f"valu{n}" for n in range(2_000)) + " } }",
    "values in each other": "{ number(value: " + "[" * 5_000,
    "fragments inside themselves": "{ ...A } fragment A on Query { ...B ...B } fragment B on Query { ...A ...A }",
}  # fmt: skip


async def test_made_up_documents_are_refused_while_others_are_answered() -> None:
    async with wire(max_cost=5_000) as served, served.http("mallory") as mallory, served.http() as alice:
        enough = asyncio.Event()

        async def attack(name: str, text: str) -> int:
            rounds = 0
            while not enough.is_set():
                # Another one each time: what was refused once is known.
                response = await mallory.post("/graphql", json={"query": " " * rounds + text})
                assert response.status_code == 400, (name, response.text[:200])
                codes = {error["extensions"]["code"] for error in response.json()["errors"]}
                assert codes <= {"LIMIT_EXCEEDED", "BAD_USER_INPUT"}, name
                rounds += 1
            return rounds

        attacks = [asyncio.create_task(attack(name, text)) for name, text in ATTACKS.items()]
        try:
            for _ in range(3):
                answered = await alice.post("/graphql", json={"query": "{ me }"})
                assert answered.json() == {"data": {"me": "alice@default"}}
            assert not any(attack.done() for attack in attacks)
        finally:
            enough.set()
            rounds = await asyncio.gather(*attacks)

        assert all(rounds)
