"""Statements: what is checked when they are defined, what when they run, and what their records are."""

from typing import NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import BigInteger, Integer, Text, column, func, literal, select, table, update

from app.core.actor import Actor
from app.core.ids import global_id
from app.db.base import table_of
from app.db.database import Database, PoolSettings
from app.db.statement import Command, Query, ReplannedQuery, param
from app.sessions.models import ChatSession
from tests.conversations import new_session
from tests.db.kept import KEEP
from tests.fakes import StatementRecorder

SESSIONS = table_of(ChatSession)

SUM = Query(int, select((param("left", BigInteger) - param("right", BigInteger)).label("difference")))


class Point(NamedTuple):
    x: int
    y: int


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({}, ["left", "right"]),
        ({"left": 1}, ["right"]),
        ({"left": 1, "right": 2, "middle": 3}, ["middle"]),
        ({"left": 1, "rigth": 2}, ["right", "rigth"]),
        ({"LEFT": 1, "right": 2}, ["LEFT", "left"]),
    ],
    ids=["none", "missing", "unknown", "misspelt", "other case"],
)
def test_wrong_parameters_are_named(values: dict[str, object], named: list[str]) -> None:
    with pytest.raises(TypeError) as refused:
        SUM.arguments(values)

    assert str(refused.value) == f"wrong parameters: {named}"


def test_constant_cannot_be_given_as_a_parameter() -> None:
    query = Query(int, select((param("number", BigInteger) + literal(7)).label("sum")))

    assert query.arguments({"number": 1}) == [1, 7]
    with pytest.raises(TypeError, match=r"wrong parameters: \['param_1'\]"):
        query.arguments({"number": 1, "param_1": 8})


async def test_wrong_parameters_never_reach_the_database(database: Database, statements: StatementRecorder) -> None:
    async with database.unit_of_work() as uow:
        with pytest.raises(TypeError, match=r"wrong parameters: \['id', 'key'\]"):
            await uow.run(KEEP, key=1)

    assert statements.sent == []


async def test_values_are_taken_by_name_whatever_their_order(database: Database) -> None:
    async with database.read() as scope:
        assert await scope.first(SUM, left=5, right=3) == 2
        assert await scope.first(SUM, right=3, left=5) == 2


def test_none_is_a_value() -> None:
    assert SUM.arguments({"left": None, "right": 0}) == [None, 0]


async def test_constants_are_kept_beside_parameters(database: Database) -> None:
    class Row(NamedTuple):
        text: str
        number: int
        given: int

    query = Query(
        Row,
        select(
            literal("ab", Text).label("text"),
            (literal(40, Integer) + literal(2, Integer)).label("number"),
            param("given", BigInteger).label("given"),
        ),
    )

    async with database.read() as scope:
        assert await scope.all(query, given=1) == [Row("ab", 42, 1)]
        assert await scope.all(query, given=2) == [Row("ab", 42, 2)]


async def test_constants_and_parameters_may_repeat(database: Database) -> None:
    number, constant = param("number", BigInteger), literal(10, BigInteger)
    query = Query(int, select((number * constant + number + constant + param("number", BigInteger)).label("sum")))

    async with database.read() as scope:
        assert await scope.first(query, number=3) == 46


async def test_parameter_of_an_update_may_stand_in_its_condition_too(database: Database, actor: Actor) -> None:
    title = param("new_title", Text)
    rename = Command(
        UUID,
        update(SESSIONS)
        .where(SESSIONS.c.id == param("key"), SESSIONS.c.title != title)
        .values(title=title)
        .returning(SESSIONS.c.id),
    )
    session_id = await new_session(database, actor, "Trip")

    async with database.unit_of_work() as uow:
        assert await uow.run_one(rename, key=session_id, new_title="Trip") is None
        assert await uow.run_one(rename, key=session_id, new_title="Journey") == session_id


@pytest.mark.parametrize(
    "columns", [("y", "x"), ("x",), ("x", "y", "z"), ("x", "z")], ids=["order", "fewer", "more", "other"]
)
def test_named_tuple_that_does_not_fit_the_columns_is_refused(columns: tuple[str, ...]) -> None:
    with pytest.raises(TypeError, match="Point has the fields"):
        _ = Query(Point, select(*(literal(1).label(name) for name in columns))).sql


def test_scalar_of_several_columns_is_refused() -> None:
    with pytest.raises(TypeError, match=r"one value per row was declared \(int\)"):
        _ = Query(int, select(literal(1).label("x"), literal(2).label("y"))).sql


def test_column_that_the_table_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match=r"ChatSession has no attribute \['colour'\]"):
        _ = Query(ChatSession, select(SESSIONS.c.id, literal("red").label("colour"))).sql


async def test_scalar_and_named_tuple_are_returned_as_they_were_declared(database: Database) -> None:
    numbers = func.generate_series(1, 2).table_valued("n").render_derived(name="numbers")

    async with database.read() as scope:
        assert await scope.all(Query(int, select(numbers.c.n))) == [1, 2]
        points = await scope.all(Query(Point, select(numbers.c.n.label("x"), (numbers.c.n * 2).label("y"))))

    assert points == [Point(1, 2), Point(2, 4)]
    assert all(type(point) is Point for point in points)


async def _a_session(database: Database, actor: Actor) -> ChatSession:
    session_id = await new_session(database, actor, "Trip")
    query = Query(ChatSession, select(*SESSIONS.c).where(SESSIONS.c.id == param("id")))
    async with database.read() as scope:
        found = await scope.first(query, id=session_id)
    assert found is not None
    return found


async def test_records_have_the_columns_and_the_properties_of_their_table(database: Database, actor: Actor) -> None:
    session = await _a_session(database, actor)

    assert (session.title, session.user_id, session.last_event) == ("Trip", "alice", 1)
    assert session.message_count == session.last_sequence == 0
    assert session.last_modified_at == session.updated_at
    assert session.global_id == global_id("ChatSession", session.id)
    assert session.node_type == ChatSession.node_type
    assert type(session).__name__ == "ChatSession"


@pytest.mark.parametrize("name", ["title", "message_count", "global_id", "node_type", "colour"])
async def test_records_cannot_be_changed(database: Database, actor: Actor, name: str) -> None:
    session = await _a_session(database, actor)

    with pytest.raises(AttributeError):
        setattr(session, name, "other")

    assert session.title == "Trip"


async def test_column_that_was_not_selected_is_no_attribute(database: Database, actor: Actor) -> None:
    await new_session(database, actor)

    async with database.read() as scope:
        [session] = await scope.all(Query(ChatSession, select(SESSIONS.c.id, SESSIONS.c.title)))

    assert session.title == "Trip"
    with pytest.raises(AttributeError):
        _ = session.description


async def test_a_replanned_query_is_prepared_anew_every_time(dsn: str) -> None:
    named = table("pg_prepared_statements", column("statement"))
    shape = select(literal(1).label("one")).where(param("value", Integer) > 0)
    kept, again = Query(int, shape), ReplannedQuery(int, shape.where(literal(2) > 1))
    prepared: Query[int | None] = Query(
        int, select(func.count()).select_from(named).where(named.c.statement == param("sql", Text))
    )
    database = await Database.connect(dsn, PoolSettings(size=1))

    async with database.read() as scope:
        for query in [kept, again] * 8:
            assert await scope.all(query, value=1) == [1]
        counts = [await scope.first(prepared, sql=query.sql) for query in (kept, again)]
    await database.close()

    assert counts == [1, 0]
