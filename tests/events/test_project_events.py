"""The streams of projects: all of a tenant read them, nobody else, and only where a project is named."""

import asyncio
from contextlib import aclosing
from functools import partial
from uuid import UUID

import pytest

from app.core.actor import Actor
from app.core.ids import global_id, new_id
from app.db.database import Database
from app.events.following import HappenedEvents
from app.events.loaders import read_events
from app.events.models import Event
from app.events.values import EventKind
from app.streams.feed import Feed
from app.streams.values import StreamKey
from tests.client import GraphQLClient
from tests.conversations import new_project, new_session, rows
from tests.events.test_audit_events import events, kinds
from tests.worlds import ClientAs

ADD = """INSERT INTO events (tenant_id, stream_id, seq, kind, actor, owner_id, correlation_id)
  SELECT tenant_id, stream_id, $2, $3, 'bob', owner_id, 'second' FROM events WHERE stream_id = $1 AND seq = 1"""


async def a_project(database: Database, actor: Actor, dsn: str) -> UUID:
    """A project to which two things happened, the latter of them done by bob."""
    project = await new_project(database, actor)
    await rows(dsn, ADD, project, 2, "stage.requested")
    return project


def named(project: UUID) -> str:
    """Its global id."""
    return global_id("Project", project)


async def test_all_of_a_tenant_read_what_happened_to_a_project(
    client: GraphQLClient, client_as: ClientAs, database: Database, actor: Actor, dsn: str
) -> None:
    project = named(await a_project(database, actor, dsn))
    members = [client, *[await client_as(user) for user in ("bob", "system")]]
    strangers = [await client_as(user) for user in ("alice@acme", "system@acme")]

    for member in members:
        nodes = (await events(member, filter={"projectId": project}))["nodes"]
        assert [(node["seq"], node["kind"], node["actor"]) for node in nodes] == [
            ("2", "STAGE_REQUESTED", "bob"), ("1", "PROJECT_CREATED", "alice"),
        ]  # fmt: skip
        assert {node["sessionId"] for node in nodes} == {None}
        assert await kinds(member, projectId=project, actor="alice") == ["PROJECT_CREATED"]
        assert await kinds(member, projectId=project, kind="STAGE_REQUESTED") == ["STAGE_REQUESTED"]
        assert await kinds(member, projectId=project, correlationId="second") == ["STAGE_REQUESTED"]
    for stranger in strangers:
        assert await kinds(stranger, projectId=project) == []


async def test_events_of_projects_are_in_no_list_of_ones_own(
    client: GraphQLClient, client_as: ClientAs, database: Database, actor: Actor, dsn: str
) -> None:
    await a_project(database, actor, dsn)
    await new_session(database, actor)
    admin, stranger = await client_as("system"), await client_as("system@acme")

    assert await kinds(client) == await kinds(client, actor="alice") == ["SESSION_CREATED"]
    assert await kinds(await client_as("bob")) == []
    assert sorted(await kinds(admin)) == ["PROJECT_CREATED", "SESSION_CREATED", "STAGE_REQUESTED"]
    assert await kinds(stranger) == []


async def test_an_event_names_the_session_or_the_project_that_it_happened_to(
    client_as: ClientAs, database: Database, actor: Actor
) -> None:
    project, session = await new_project(database, actor), await new_session(database, actor)
    query = "{ auditEvents { nodes { kind sessionId projectId } } }"

    found = (await (await client_as("system")).data(query))["auditEvents"]["nodes"]

    assert {node["kind"]: (node["sessionId"], node["projectId"]) for node in found} == {
        "PROJECT_CREATED": (None, named(project)),
        "SESSION_CREATED": (global_id("ChatSession", session), None),
    }


async def test_an_event_of_a_project_is_found_by_its_id_in_its_tenant_alone(
    client: GraphQLClient, client_as: ClientAs, database: Database, actor: Actor, dsn: str
) -> None:
    project = await a_project(database, actor, dsn)
    event = global_id("AuditEvent", f"{project}:2")
    query = "query ($id: ID!) { node(id: $id) { ... on AuditEvent { id kind projectId } } }"
    expected = {"id": event, "kind": "STAGE_REQUESTED", "projectId": named(project)}

    for member in (client, await client_as("bob"), await client_as("system")):
        assert (await member.data(query, {"id": event}))["node"] == expected
    assert (await (await client_as("alice@acme")).data(query, {"id": event}))["node"] is None


async def test_a_project_names_no_session_and_a_session_no_project(
    client: GraphQLClient, client_as: ClientAs, database: Database, actor: Actor
) -> None:
    project, session = await new_project(database, actor), await new_session(database, actor)
    of_session = global_id("ChatSession", session)
    refused: list[dict[str, str | None]] = [
        {"projectId": of_session},
        {"sessionId": named(project), "projectId": None},
        {"sessionId": of_session, "projectId": named(project)},
    ]
    query = "query ($filter: AuditEventFilter) { auditEvents(filter: $filter) { totalCount } }"

    for conditions in refused:
        [error] = (await client.answer(query, {"filter": conditions}))["errors"]
        field = "filter.sessionId" if conditions["projectId"] is None else "filter.projectId"
        assert (error["extensions"]["code"], error["extensions"]["field"]) == ("VALIDATION_ERROR", field)
    # A session's key under the name of a project opens nothing, to an admin either.
    for who in (client, await client_as("system")):
        assert await kinds(who, projectId=named(session)) == []
    assert await kinds(client, sessionId=global_id("ChatSession", project)) == []
    assert await kinds(client, sessionId=of_session, projectId=None) == ["SESSION_CREATED"]


@pytest.mark.parametrize("after", [0, 1])
async def test_a_project_is_followed_until_it_is_deleted(
    database: Database, actor: Actor, dsn: str, after: int
) -> None:
    project = await a_project(database, actor, dsn)
    feed: Feed[Event] = Feed(partial(read_events, database), poll_seconds=0.01)
    polling = asyncio.create_task(feed.run())
    key = StreamKey(actor.tenant_id, project)

    async with asyncio.timeout(60), aclosing(HappenedEvents(database, feed).follow(actor, key, after)) as happened:
        told = [(await anext(happened)).kind for _ in range(2 - after)]
        await rows(dsn, ADD, project, 3, "project.deleted")
        await rows(dsn, "DELETE FROM projects WHERE id = $1", project)
        told += [event.kind async for event in happened]

    polling.cancel()
    of_project = [EventKind.PROJECT_CREATED, EventKind.STAGE_REQUESTED, EventKind.PROJECT_DELETED]
    assert told == of_project[after:]


async def test_what_happened_to_a_project_outlives_it(
    client: GraphQLClient, database: Database, actor: Actor, dsn: str
) -> None:
    project = await a_project(database, actor, dsn)
    await rows(dsn, ADD, project, 3, "project.deleted")
    await rows(dsn, "DELETE FROM projects WHERE id = $1", project)

    assert await kinds(client, projectId=named(project)) == ["PROJECT_DELETED", "STAGE_REQUESTED", "PROJECT_CREATED"]
    assert await kinds(client, projectId=named(new_id())) == []
