"""What the rooms answer over plain HTTP tells nothing of others: an id of theirs is as one that is not there."""

import re
from dataclasses import dataclass

import httpx2
import pytest
from starlette.routing import BaseRoute, Route

from app.asgi import endpoint_routes
from app.workflow.values import StageStatus
from tests.client import Door, GraphQLClient
from tests.identity.credentials import TOKENS
from tests.schema_walk import Ids, random_id
from tests.workflow.scenes import PG, a_workflow
from tests.worlds import ClientAs, conversation, stored


@dataclass(frozen=True, slots=True)
class Rule:
    """How a route is asked, and what its ids are of."""

    types: tuple[str, ...]
    """Of each id in the path, in their order."""
    method: str = "GET"
    shared: bool = False
    """Whether all of a tenant may: else only the owner."""


RULES = {
    "/messages/{message_id}/attachments": Rule(("ChatMessage",), "POST"),
    "/attachments/{attachment_id}": Rule(("MessageAttachment",)),
    "/sessions/{session_id}/export": Rule(("ChatSession",)),
    "/projects/{project_id}/prompts.zip": Rule(("Project",), shared=True),
    "/projects/{project_id}/prompts/{prompt_id}.md": Rule(("Project", "PromptGeneration"), shared=True),
}
"""Every route that the rooms have."""

_ID = re.compile(r"\{\w+\}")


def paths() -> list[str]:
    """Of all routes."""
    return [_path(route) for route in endpoint_routes()]


def _path(route: BaseRoute) -> str:
    assert isinstance(route, Route)
    return route.path


async def asked(client: GraphQLClient, path: str, rule: Rule, ids: list[str]) -> httpx2.Response:
    """The answer of a route with these ids in its path, in their order."""
    given = iter(ids)
    url = _ID.sub(lambda _: next(given), path)
    body = b"a file" if rule.method == "POST" else None
    headers = {"content-type": "application/octet-stream"}
    return await client.http.request(rule.method, url, content=body, headers=headers)


async def world(client: GraphQLClient, dsn: str, tenant: str, mark: str) -> Ids:
    """Something of each type that a route names."""
    scene = await a_workflow(dsn, StageStatus.APPROVED, tenant=tenant, mark=mark)
    return {
        **(await conversation(client, mark=mark)).ids, "Project": scene.id, "PromptGeneration": scene.newest(PG).id,
    }  # fmt: skip


def test_every_route_has_a_rule() -> None:
    assert sorted(paths()) == sorted(RULES)
    assert all(len(_ID.findall(path)) == len(rule.types) for path, rule in RULES.items())


@pytest.fixture
def door() -> Door:
    """Who asks shows a token."""
    return TOKENS


@pytest.mark.parametrize("asker", ["alice", "system"])
async def test_anothers_id_is_answered_as_one_that_is_not_there(client_as: ClientAs, dsn: str, asker: str) -> None:
    own = await world(await client_as("alice"), dsn, "default", "own")
    bobs = await world(await client_as("bob"), dsn, "default", "bobs")
    strangers = await world(await client_as(f"{asker}@acme"), dsn, "acme", "strangers")
    client = await client_as(asker)
    before = await stored(dsn)

    for path, rule in RULES.items():
        for place, kind in enumerate(rule.types):

            def with_id(id_: str, place: int = place, types: tuple[str, ...] = rule.types) -> list[str]:
                return [id_ if number == place else own[name] for number, name in enumerate(types)]

            nowhere = await asked(client, path, rule, with_id(random_id(kind)))
            assert nowhere.status_code == 404, path
            others = [strangers] if rule.shared or asker == "system" else [bobs, strangers]
            for ids in others:
                answer = await asked(client, path, rule, with_id(ids[kind]))
                assert (answer.status_code, answer.json()["error"]) == (404, nowhere.json()["error"]), path

    assert await stored(dsn) == before
    for path, rule in RULES.items():
        if rule.method == "GET":
            assert (await asked(client, path, rule, [own[kind] for kind in rule.types])).status_code == 200, path
