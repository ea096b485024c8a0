"""The `models` query."""

from tests.client import GraphQLClient


async def test_models_are_listed_with_what_a_front_end_needs(client: GraphQLClient) -> None:
    data = await client.data("{ models { id provider name configured isDefault contextWindow } }")

    assert data["models"][:2] == [
        {
            "id": "local:extractive", "provider": "local", "name": "extractive", "configured": True, "isDefault": True,
            "contextWindow": 1_048_576,
        },
        {
            "id": "local:echo", "provider": "local", "name": "echo", "configured": True, "isDefault": False,
            "contextWindow": 1_048_576,
        },
    ]  # fmt: skip
    assert {model["provider"] for model in data["models"]} == {"local", "openai", "anthropic"}
    assert [model["id"] for model in data["models"] if model["isDefault"]] == ["local:extractive"]
