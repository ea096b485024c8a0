"""Templates to change, and what the database holds of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.core.actor import Actor
from app.core.ids import parse_global_id
from app.db.scopes import UnitOfWork
from app.prompts.values import TemplateId
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


def uuid_of(template: str) -> TemplateId:
    """The id of a template inside its global id."""
    return TemplateId(parse_global_id(template, "PromptTemplate"))


async def enabled(dsn: str) -> list[str]:
    """The names of the templates that are enabled."""
    return [row["name"] for row in await rows(dsn, "SELECT name FROM prompt_templates WHERE enabled ORDER BY name")]


@dataclass(slots=True)
class Uses:
    """A room above that needs templates: says which runs are not finished, and may take its time."""

    runs: tuple[str, ...] = ()

    async def unfinished(self, uow: UnitOfWork, actor: Actor, template_id: TemplateId) -> Sequence[str]:
        """Called inside the transaction."""
        return self.runs
