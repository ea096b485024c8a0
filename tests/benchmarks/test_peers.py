"""`python -m benchmarks.peers`: that it tells answers apart, and counts right."""

import base64
from pathlib import Path
from typing import Any

import orjson
import pytest
from graphql import parse, validate

from app.schema import schema
from benchmarks.conversations import SESSIONS, session_global_id, session_id
from benchmarks.load_client import Load
from benchmarks.peers.answers import Disagreement, difference, facts
from benchmarks.peers.by_hand import STATEMENTS
from benchmarks.peers.measure import Measured, Spread, Turn
from benchmarks.peers.questions import QUESTIONS, of_colloquy, of_postgraphile, of_sql, of_yoga
from benchmarks.peers.report import as_json
from benchmarks.peers.sides import SERVERS, SIDES, NotInstalled, node
from tests.benchmarks.test_run import results, run

COLLOQUY: Any = {
    "data": {
        "session": {
            "id": session_global_id(7),
            "status": "ACTIVE",
            "createdAt": "2026-01-02T03:04:05.678901Z",
            "model": None,
            "messages": {"nodes": [{"sequenceNumber": 1}], "pageInfo": {"startCursor": "b3BhcXVl"}},
        }
    }
}
POSTGRAPHILE: Any = {
    "data": {
        "session": {
            "id": str(session_id(7)),
            "status": "active",
            "createdAt": "2026-01-02T05:04:05.678901+02:00",
            "model": None,
            "messages": {"nodes": [{"sequenceNumber": 1}], "pageInfo": {"startCursor": "WyJuYXR1cmFsIiwxXQ=="}},
        }
    }
}


def changed(path: str, value: Any) -> Any:
    """PostGraphile's answer with another value at a path of names."""
    answer = orjson.loads(orjson.dumps(POSTGRAPHILE))
    *way, last = path.split(".")
    place = answer["data"]["session"]
    for name in way:
        place = place[name]
    place[last] = value
    return answer


def test_answers_that_differ_in_form_alone_agree() -> None:
    assert difference(facts(COLLOQUY), facts(POSTGRAPHILE)) is None


def test_dates_of_javascript_agree_with_those_that_have_microseconds() -> None:
    yoga = changed("createdAt", "2026-01-02T03:04:05.678Z")

    assert difference(facts(COLLOQUY), facts(yoga)) is None


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("id", str(session_id(8)), "data.session.id: "),
        ("status", "paused", "data.session.status: 'active' and 'paused'"),
        ("createdAt", "2026-01-02T03:04:05.679Z", "data.session.createdAt: "),
        ("model", "", "data.session.model: None and ''"),
        ("messages.nodes", [], "data.session.messages.nodes: 1 of them and 0 of them"),
        ("messages.nodes", [{"sequenceNumber": 2}], "data.session.messages.nodes[0].sequenceNumber: 1 and 2"),
        ("messages.nodes", [{"sequenceNumber": "1"}], "data.session.messages.nodes[0].sequenceNumber: 1 and '1'"),
        ("messages.nodes", [{"sequenceNumber": True}], "data.session.messages.nodes[0].sequenceNumber: 1 and True"),
        ("messages.nodes", [{"number": 1}], "data.session.messages.nodes[0]: {sequenceNumber} and {number}"),
        ("messages.pageInfo.startCursor", None, "data.session.messages.pageInfo.startCursor: 'a cursor' and None"),
    ],
)
def test_answers_that_say_something_else_are_told_apart(path: str, value: object, where: str) -> None:
    found = difference(facts(COLLOQUY), facts(changed(path, value)))

    assert found is not None
    assert found.startswith(where)


@pytest.mark.parametrize(
    "answer",
    [
        {"errors": [{"message": "no"}], "data": {"session": None}},
        {"data": None},
        {"data": {"session": {"id": base64.b64encode(b"ChatSession:7").decode()}}},
        {"data": {"session": {"id": "seven"}}},
        [],
    ],
)
def test_what_answers_nothing_agrees_with_nothing(answer: Any) -> None:
    with pytest.raises(Disagreement):
        facts(answer)


def test_a_ratio_is_that_of_each_round() -> None:
    assert Spread.of([10.0, 30.0, 40.0], [10.0, 20.0, 10.0]) == Spread(median=1.5, least=1.0, most=4.0)


def test_what_is_kept_has_every_turn_and_the_ratio_of_its_side() -> None:
    def turn(per_second: float) -> Turn:
        return Turn(Load(7, 0, per_second, 1.0, 2.0, 300, 0.1), 0.5, 0.25)

    measured = Measured(QUESTIONS["list"], 16, {"postgraphile": [turn(10), turn(20)], "batch": [turn(15), turn(40)]})

    kept: Any = as_json(measured)

    assert (kept["question"], kept["clients"]) == ("list", 16)
    assert kept["sides"]["postgraphile"]["ratio"] == {"median": 1.0, "least": 1.0, "most": 1.0}
    assert kept["sides"]["batch"]["ratio"] == {"median": 1.75, "least": 1.5, "most": 2.0}
    assert [told["load"]["per_second"] for told in kept["sides"]["batch"]["turns"]] == [15, 40]


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_side_is_asked_every_question_as_often(name: str) -> None:
    question = QUESTIONS[name]
    asked = [ask(question) for ask in (of_colloquy, of_yoga, of_postgraphile, of_sql)]

    assert not validate(schema._schema, parse(question.by_hand))
    assert {len(bodies) for bodies in asked} == {SESSIONS if question.of_one_session else 1}
    assert orjson.loads(asked[-1][0])["query"] in STATEMENTS


async def test_an_unknown_side_is_named_before_anything_is_measured(tmp_path: Path) -> None:
    code, _, told = await run("--side", "abacus", "--results", str(tmp_path), module="benchmarks.peers")

    assert code == 2
    assert "abacus" in told
    assert ", ".join(SIDES) in told


def test_the_lock_names_no_registry() -> None:
    lock = orjson.loads((SERVERS / "package-lock.json").read_bytes())

    assert lock["packages"]["node_modules/postgraphile"]["integrity"]
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


@pytest.mark.timeout(300)
async def test_all_servers_agree_and_are_measured(tmp_path: Path) -> None:
    try:
        node()
    except NotInstalled as missing:
        pytest.skip(str(missing))

    arguments = ("--rounds", "1", "--seconds", "0.1", "--warm-up", "0.1", "--clients", "2", "--results", str(tmp_path))
    code, printed, told = await run(*arguments, module="benchmarks.peers")

    assert code == 0, told
    assert "list: 50 sessions, 2 clients" in printed
    (kept,) = results(tmp_path)
    assert [measured["question"] for measured in kept["peers"]] == list(QUESTIONS)
    for measured in kept["peers"]:
        assert list(measured["sides"]) == list(SIDES)
        assert all(side["turns"][0]["load"]["answers"] > 0 for side in measured["sides"].values())
