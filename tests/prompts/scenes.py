"""Templates to change, and what the database holds of them."""

from typing import Any

from tests.client import GraphQLClient
from tests.worlds import rows

FACTS = """id name description content type projectId organizationId enabled version revision createdBy createdAt
updatedBy updatedAt deletedAt declaredVariables { name type description required default }"""


async def a_template(client: GraphQLClient, name: str = "greeting", content: str = "Hello!", **input_: Any) -> str:
    """The id of a new template."""
    payload = await client.mutate(
        "createPromptTemplate", "template { id }", {"name": name, "content": content, **input_}
    )
    assert payload["success"], payload
    return str(payload["template"]["id"])


async def change(client: GraphQLClient, field: str, template: str, **input_: Any) -> dict[str, Any]:
    """The payload of a mutation of a template."""
    return await client.mutate(field, f"template {{ {FACTS} }}", {"templateId": template, **input_})


async def save(client: GraphQLClient, template: str, expected: int, **input_: Any) -> dict[str, Any]:
    """The payload of an update."""
    return await change(client, "updatePromptTemplate", template, expectedVersion=expected, **input_)


async def read(client: GraphQLClient, template: str, selection: str = FACTS) -> dict[str, Any]:
    """Fields of a template."""
    query = f"query ($id: ID!) {{ promptTemplate(id: $id) {{ {selection} }} }}"
    found: dict[str, Any] = (await client.data(query, {"id": template}))["promptTemplate"]
    return found


async def history(dsn: str, columns: str = "revision, kind, label, from_version, version") -> list[tuple[Any, ...]]:
    """The lines of all templates' histories, by template and revision."""
    found = await rows(dsn, f"SELECT {columns} FROM prompt_template_changes ORDER BY template_id, revision")
    return [tuple(row.values()) for row in found]
