"""Commands about API keys: for the first one of a new installation, and for whoever runs it."""

from datetime import UTC, datetime
from typing import Annotated, cast

import typer

from app.cli.console import DataDir, one_correlation, run, say, settings_of
from app.container import Container, open_container
from app.core.actor import Actor, Role, TenantId, UserId
from app.core.errors import ValidationError
from app.core.ids import global_id, parse_global_id
from app.core.paging import MOST_PER_PAGE, PageRequest
from app.identity.loaders import page_of_keys
from app.identity.models import ApiKey
from app.identity.pipeline import ApiKeyPipeline, MadeKey
from app.identity.service import local_actor
from app.identity.values import DEFAULT_TENANT, SYSTEM_USER, USER_ROLES, ApiKeyId, ApiKeyScope, NewKey
from app.streams.wakeups import WakeUps

keys = typer.Typer(
    help="Make, list and revoke API keys, directly in the database.", no_args_is_help=True, rich_markup_mode=None
)

Tenant = Annotated[str, typer.Option(help="Tenant whose keys they are.")]


@keys.command("create")
def create_key(
    user: Annotated[str, typer.Option(help="User whom the key lets in.")],
    name: Annotated[str, typer.Option(help="What to call it.")],
    scope: Annotated[ApiKeyScope, typer.Option(help="What it is for.")],
    role: Annotated[
        list[Role] | None,
        typer.Option(help="Role of whoever comes in, once for each [all; admin comes with its scope alone]."),
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="From when on it lets nobody in: 2027-01-31 or 2027-01-31T12:00, in UTC [never].")
    ] = None,
    tenant: Tenant = DEFAULT_TENANT,
    data_dir: DataDir = None,
) -> None:
    """Make a key. Its text is written to the standard output, this once."""

    async def work() -> MadeKey:
        roles = USER_ROLES if role is None else frozenset(role)
        new = NewKey(name, scope, UserId(user), roles, None if expires is None else _moment(expires))
        async with open_container(settings_of(data_dir=data_dir), say, background=False) as container:
            pipeline = cast(ApiKeyPipeline, container.services[ApiKeyPipeline])
            return await pipeline.create(container.database, _operator(tenant), new, None)

    made = run(work())
    assert made.text is not None  # noqa: S101 - without a client's key it is a new one
    say(f"the key {global_id(ApiKey.node_type, made.key_id)} is made; this is the only time it is shown")
    typer.echo(made.text.text)


@keys.command("list")
def list_keys(tenant: Tenant = DEFAULT_TENANT, data_dir: DataDir = None) -> None:
    """List the keys of a tenant, oldest first, a line each; their text is stored nowhere."""

    async def work() -> None:
        async with open_container(settings_of(data_dir=data_dir), say, background=False) as container:
            actor, after, more = _operator(tenant), None, True
            while more:
                page = await page_of_keys(container.database, actor, PageRequest(MOST_PER_PAGE, after=after))
                for key in page.nodes:
                    typer.echo(_line(key))
                after, more = page.page_info.end_cursor, page.page_info.has_next_page

    run(work())


@keys.command("revoke")
def revoke_key(
    key: Annotated[str, typer.Argument(metavar="ID", help="Id of the key, as `list` and the API show it.")],
    tenant: Tenant = DEFAULT_TENANT,
    data_dir: DataDir = None,
) -> None:
    """Revoke a key for good; running servers close what it has open."""

    async def work() -> None:
        key_id = ApiKeyId(parse_global_id(key, ApiKey.node_type, "ID"))
        async with open_container(settings_of(data_dir=data_dir), say, background=False) as container:
            wakeups = WakeUps(container.database)
            container.database.announce_to(wakeups.tell)
            await _pipeline(container).revoke(container.database, _operator(tenant), key_id, None)
            await wakeups.send()

    run(work())
    say("the key is revoked")


def _operator(tenant: str) -> Actor:
    return local_actor(SYSTEM_USER, TenantId(tenant), one_correlation())


def _pipeline(container: Container) -> ApiKeyPipeline:
    return cast(ApiKeyPipeline, container.services[ApiKeyPipeline])


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValidationError("--expires must be a date or a moment, such as 2027-01-31 or 2027-01-31T12:00") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _line(key: ApiKey) -> str:
    def at(moment: datetime | None) -> str:
        return "never" if moment is None else moment.isoformat(timespec="seconds")

    state = f"revoked {at(key.revoked_at)} by {key.revoked_by}" if key.revoked_at else f"expires {at(key.expires_at)}"
    line = "  ".join(
        (
            key.global_id, key.user_id, key.scope, "+".join(key.roles) or "-",
            f"made {at(key.created_at)} by {key.created_by}", f"used {at(key.last_used_at)}", state, key.name,
        )
    )  # fmt: skip
    # A name is anybody's, and a terminal does what it is told.
    return "".join(letter if letter.isprintable() else "?" for letter in line)
