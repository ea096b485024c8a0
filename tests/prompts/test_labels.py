"""Labels point to versions; where they pointed before stays in the history."""

from tests.client import GraphQLClient
from tests.prompts.scenes import a_template, change, history, read, save
from tests.worlds import stored


async def test_a_label_is_moved_and_removed(client: GraphQLClient, dsn: str) -> None:
    template = await a_template(client)
    await save(client, template, 1, content="Good morning!")

    for version in (1, 2, None):
        payload = await change(client, "setPromptLabel", template, label="production", version=version)
        assert payload["success"], payload
        found = await read(
            client,
            template,
            """labels { label version movedBy templateVersion { version content } }
            versions { nodes { version labels { label } } }""",
        )
        texts = {1: "Hello!", 2: "Good morning!"}
        shown = [] if version is None else [
            {"label": "production", "version": version, "movedBy": "alice",
             "templateVersion": {"version": version, "content": texts[version]}},
        ]  # fmt: skip
        assert found["labels"] == shown
        assert {
            node["version"]: [label["label"] for label in node["labels"]] for node in found["versions"]["nodes"]
        } == {number: ["production"] if number == version else [] for number in (1, 2)}

    assert (await history(dsn))[2:] == [
        (3, "labelled", "production", None, 1),
        (4, "labelled", "production", 1, 2),
        (5, "unlabelled", "production", 2, None),
    ]


async def test_what_is_so_already_is_no_change(client: GraphQLClient, dsn: str) -> None:
    template = await a_template(client, enabled=True)
    await change(client, "setPromptLabel", template, label="production", version=1)
    resting = await a_template(client, "resting")
    before = await stored(dsn)

    payloads = [
        await change(client, "setPromptLabel", template, label="production", version=1),
        await change(client, "setPromptLabel", template, label="staging", version=None),
        await change(client, "enablePromptTemplate", template),
        await change(client, "disablePromptTemplate", resting),
    ]

    assert [payload["success"] for payload in payloads] == [True] * 4
    assert [[warning["code"] for warning in payload["warnings"]] for payload in payloads] == [["UNCHANGED"]] * 4
    assert await stored(dsn) == before


async def test_a_label_needs_a_version_that_there_is(client: GraphQLClient, dsn: str) -> None:
    template = await a_template(client)
    before = await stored(dsn)

    payload = await change(client, "setPromptLabel", template, label="production", version=2)
    without = await change(client, "setPromptLabel", template, label="production")

    assert (payload["error"]["code"], payload["error"]["field"]) == ("NOT_FOUND", "version")
    assert (without["error"]["code"], without["error"]["field"]) == ("VALIDATION_ERROR", "version")
    assert await stored(dsn) == before


async def test_a_label_that_somebody_moved_is_not_moved_by_who_expects_it_elsewhere(
    client: GraphQLClient, dsn: str
) -> None:
    template = await a_template(client)
    await save(client, template, 1, content="Good morning!")
    new = await change(client, "setPromptLabel", template, label="production", version=2, expectedVersion=0)
    before = await stored(dsn)

    refused = [
        await change(client, "setPromptLabel", template, label="production", version=1, expectedVersion=expected)
        for expected in (0, 1)
    ]

    assert new["success"]
    for payload in refused:
        assert (payload["error"]["code"], payload["error"]["field"]) == ("VERSION_CONFLICT", "expectedVersion")
        assert "expectedVersion: 2" in payload["error"]["hint"]
        assert payload["template"]["id"] == template
    assert await stored(dsn) == before


async def test_a_template_has_at_most_fifty_labels(client: GraphQLClient, dsn: str) -> None:
    template = await a_template(client)
    await save(client, template, 1, content="Good morning!")
    for number in range(50):
        assert (await change(client, "setPromptLabel", template, label=f"l{number:02}", version=1))["success"]

    refused = await change(client, "setPromptLabel", template, label="one-more", version=1)
    moved = await change(client, "setPromptLabel", template, label="l00", version=2)
    await change(client, "setPromptLabel", template, label="l01", version=None)
    taken = await change(client, "setPromptLabel", template, label="one-more", version=1)

    assert (refused["error"]["code"], refused["error"]["field"]) == ("LIMIT_EXCEEDED", "label")
    assert (moved["success"], taken["success"]) == (True, True)
