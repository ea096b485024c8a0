"""Who is asking, and under which correlation id: taken from the headers of a request."""

from typing import Any
from uuid import UUID

import httpx2
import pytest

from tests.client import GraphQLClient
from tests.worlds import ClientAs, rows

VIEWER = "{ viewer { tenantId userId roles } }"

CREATE = "mutation { createSession(input: {}) { correlationId session { id } } }"

MEMBER = ["EDITOR", "MEMBER", "REVIEWER"]


async def viewer(client: GraphQLClient) -> dict[str, Any]:
    """Who the server takes the client for."""
    found: dict[str, Any] = (await client.data(VIEWER))["viewer"]
    return found


async def test_the_header_chooses_user_and_tenant(client_as: ClientAs) -> None:
    expected = {
        "alice": ("default", "alice", MEMBER),
        "alice@acme": ("acme", "alice", MEMBER),
        "system@acme": ("acme", "system", ["ADMIN", *MEMBER]),
        "o'neill+1": ("default", "o'neill+1", MEMBER),
        "u" * 128: ("default", "u" * 128, MEMBER),
        "alice%40example.com@ac%25me": ("ac%me", "alice@example.com", MEMBER),
        "100%@acme": ("acme", "100%", MEMBER),
    }
    for named, (tenant, user, roles) in expected.items():
        found = await viewer(await client_as(named))
        assert {**found, "roles": sorted(found["roles"])} == {"tenantId": tenant, "userId": user, "roles": roles}


async def test_without_the_header_it_is_the_systems_own_user(client: GraphQLClient) -> None:
    del client.http.headers["X-Colloquy-User"]

    found = await viewer(client)

    assert (found["tenantId"], found["userId"]) == ("default", "system")
    assert "ADMIN" in found["roles"]


MALFORMED = [
    "",
    "@",
    "@acme",
    "a b",
    "alice@",
    "alice@acme@acme",
    "alice@ac me",
    "u" * 129,
    "alice@" + "t" * 129,
    "a\tb",
    "erased%20user",
    "alice%00",
    "alice%ff",
    "alice%85",
]


async def test_a_malformed_header_is_refused_with_a_code(client: GraphQLClient, dsn: str) -> None:
    taken = []
    for named in MALFORMED:
        response = await client.post(CREATE, {}, **{"X-Colloquy-User": named})
        if response.status_code == 200:
            taken.append(named)
            continue
        assert response.status_code == 401, named
        assert response.headers["X-Correlation-ID"]
        [error] = response.json()["errors"]
        assert error["extensions"]["code"] == "UNAUTHENTICATED", named
        assert "data" not in response.json()
    assert taken == []
    assert await rows(dsn, "SELECT id FROM chat_sessions") == []


async def correlated(client: GraphQLClient, given: str | None) -> tuple[str, httpx2.Response]:
    """The id under which a session was created, and the answer."""
    headers = {} if given is None else {"X-Correlation-ID": given}
    response = await client.post(CREATE, {}, **headers)
    found: str = response.json()["data"]["createSession"]["correlationId"]
    return found, response


@pytest.mark.parametrize("given", ["trip-1", "a" * 128, "00-4bf92f3577b34da6:a3ce/929d+0e.0e_4736=="])
async def test_a_fit_correlation_id_is_taken_over_everywhere(given: str, client: GraphQLClient, dsn: str) -> None:
    found, response = await correlated(client, given)

    assert found == response.headers["x-correlation-id"] == given
    assert await rows(dsn, "SELECT correlation_id FROM events") == [{"correlation_id": given}]


@pytest.mark.parametrize("given", [None, "", "two words", "a" * 129, "semi;colon", "<b>"], ids=repr)
async def test_an_unfit_correlation_id_is_replaced_by_a_new_one(
    given: str | None, client: GraphQLClient, dsn: str
) -> None:
    found, response = await correlated(client, given)

    assert str(UUID(found)) == found == response.headers["x-correlation-id"]
    assert await rows(dsn, "SELECT correlation_id FROM events") == [{"correlation_id": found}]
    assert (await correlated(client, given))[0] != found


async def test_a_refusal_tells_its_correlation_id(client: GraphQLClient) -> None:
    response = await client.post("{ nothing }", {}, **{"X-Correlation-ID": "trip-1"})

    assert response.status_code == 400
    assert response.headers["x-correlation-id"] == "trip-1"
    assert [error["extensions"]["correlationId"] for error in response.json()["errors"]] == ["trip-1"]
