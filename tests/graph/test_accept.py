"""What a client accepts decides in which form it is answered, and what is wrong is told with which status."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.graph.accept import JSON, RESPONSE, Accepted, accepted_by
from tests.graph.wire import wire

NOTHING = Accepted(None, 0.0)
TABLE: list[tuple[list[str], Accepted]] = [
    ([], Accepted(JSON)),
    ([" "], Accepted(JSON)),
    (["*/*"], Accepted(JSON)),
    (["application/*;q=0.5"], Accepted(JSON, 0.5)),
    (["text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"], Accepted(JSON, 0.8)),
    (["application/json"], Accepted(JSON, names_json=True)),
    (["Application/JSON; charset=UTF-8"], Accepted(JSON, names_json=True)),
    (["application/graphql-response+json"], Accepted(RESPONSE)),
    (["application/graphql-response+json, application/json;q=0.9"], Accepted(RESPONSE)),
    (["application/graphql-response+json; charset=utf-8, application/json; charset=utf-8"], Accepted(RESPONSE)),
    (["application/json, application/graphql-response+json"], Accepted(JSON, names_json=True)),
    (["application/json;q=0.1, application/graphql-response+json;q=0.11"], Accepted(RESPONSE, 0.11)),
    (["application/json;q=0, */*"], Accepted(RESPONSE)),
    (["application/json;q=0", "*/*"], Accepted(RESPONSE)),
    (["application/json;q=0.000, application/graphql-response+json;q=0"], NOTHING),
    (["*/*;q=0"], NOTHING),
    (["application/json; charset=utf-16"], NOTHING),
    (["text/html"], NOTHING),
    (["application/xml, image/*"], NOTHING),
    (["multipart/mixed"], NOTHING),
    ([";;,=,q=;"], NOTHING),
    (["application/json;q=high, application/json;q=1.5, application/json;q=-1"], NOTHING),
    (["*"], NOTHING),
    (["text/event-stream"], Accepted(None, 0.0, events=1.0)),
    (["Text/Event-Stream; charset=utf-8, application/json;q=0"], Accepted(None, 0.0, events=1.0)),
    (["application/graphql-response+json, text/event-stream"], Accepted(RESPONSE, events=1.0)),
    (["text/event-stream, application/json;q=0.5"], Accepted(JSON, 0.5, names_json=True, events=1.0)),
    (['multipart/mixed;boundary="graphql";subscriptionSpec="1.0"'], Accepted(None, 0.0, multipart=1.0)),
    (["multipart/mixed;deferSpec=20220824, */*"], Accepted(JSON)),
    (
        ["multipart/mixed;subscriptionSpec=1.0, application/graphql-response+json,application/json;q=0.9"],
        Accepted(RESPONSE, multipart=1.0),
    ),
]


@pytest.mark.parametrize(("lines", "accepted"), TABLE)
def test_what_a_client_takes(lines: list[str], accepted: Accepted) -> None:
    assert accepted_by(lines) == accepted


def test_events_are_the_form_of_all_answers_where_they_are_liked_better() -> None:
    assert accepted_by(["text/event-stream"]).as_events
    assert accepted_by(["text/event-stream, application/json;q=0.5"]).as_events
    assert not accepted_by(["application/json, text/event-stream"]).as_events


_WEIGHTS = {"": 1.0, ";q=1": 1.0, "; q=0.5": 0.5, ";Q=0.50": 0.5, ";q=0.001": 0.001, ";q=0": 0.0}
_EXACTNESS = {JSON: 3, RESPONSE: 3, "application/*": 2, "*/*": 1}
_NAMES = st.sampled_from([*_EXACTNESS, "text/html", "image/*"])


@given(st.lists(st.tuples(_NAMES, st.sampled_from(list(_WEIGHTS))), min_size=1, max_size=5, unique_by=lambda x: x[0]))
def test_no_type_is_chosen_that_another_goes_before(named: list[tuple[str, str]]) -> None:
    header = ", ".join(name + weight for name, weight in named)

    found = accepted_by([header])

    weights = {name: _WEIGHTS[weight] for name, weight in named}
    wanted = {
        kind: next((weights[name] for name in (kind, "application/*", "*/*") if name in weights), 0.0)
        for kind in (JSON, RESPONSE)
    }
    assert found.weight == max(wanted.values())
    assert found.json is None if found.weight == 0 else wanted[found.json or ""] == found.weight
    assert found.names_json <= (JSON in weights)


@given(st.lists(st.text() | st.text(alphabet='application/json*;,=q01. "text-multpred+h', max_size=60), max_size=3))
def test_any_header_is_read(lines: list[str]) -> None:
    found = accepted_by(lines)

    assert 0 <= found.weight <= 1
    assert (found.json is None) == (found.weight == 0)


ASKED: dict[str, dict[str, Any]] = {
    "executed": {"query": "{ me }"},
    "partly": {"query": "{ me missing }"},
    "failed": {"query": "{ broken }"},
    "syntax": {"query": "{"},
    "validation": {"query": "{ nonsense }"},
    "no such operation": {"query": "{ me }", "operationName": "Other"},
    "which operation": {"query": "query A { me } query B { me }"},
    "variable": {"query": "query ($of: Int!) { me @skip(if: false) }", "variables": {"of": "one"}},
    "too deep": {"query": "{" * 5000},
    "no request": {"query": 5},
}
BAD = dict.fromkeys(["syntax", "validation", "no such operation", "which operation", "variable", "too deep"], 400)
FINE = {"executed": 200, "partly": 200, "failed": 200}
STATUSES: dict[str, tuple[str, dict[str, int]]] = {
    RESPONSE: (RESPONSE, {"executed": 200, "partly": 294, "failed": 294, **BAD, "no request": 400}),
    JSON: (JSON, {**FINE, **dict.fromkeys(BAD, 200), "no request": 400}),
    "*/*": (JSON, {**FINE, **BAD, "no request": 400}),
    "": (JSON, {**FINE, **BAD, "no request": 400}),
    "text/html": (JSON, dict.fromkeys([*FINE, *BAD, "no request"], 406)),
}


async def test_statuses_are_those_of_the_media_type() -> None:
    found: dict[str, tuple[str, dict[str, int]]] = {}
    async with wire() as served, served.http() as http:
        for accept, (media_type, _) in STATUSES.items():
            found[accept] = (media_type, {})
            for what, body in ASKED.items():
                answer = await http.post("/graphql", json=body, headers={"Accept": accept})
                found[accept][1][what] = answer.status_code
                assert answer.headers["content-type"] == f"{media_type}; charset=utf-8"
                assert answer.headers["vary"] == "accept"
                assert ("data" in answer.json()) is (what in FINE and accept != "text/html")
                codes = [error["extensions"]["code"] for error in answer.json().get("errors", ())]
                assert bool(codes) is (what != "executed" or answer.status_code == 406)

    assert found == STATUSES
