"""Commands that run: the server, workers beside it, and the chat with one."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from math import ceil
from typing import Annotated

import typer

from app.chat.console import Asked
from app.chat.console import chat as chat_in_terminal
from app.chat.values import place_of
from app.cli.console import (
    DataDir,
    held,
    problems_in_one_line,
    run,
    say,
    settings_of,
)
from app.container import build_services, open_container
from app.core.ports import check_port, in_url
from app.core.settings import environment_name, load_settings
from app.db.foundation import ready_database
from app.graph.documents import Documents
from app.probes.answers import Probes
from app.telemetry.spans import exporting


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [127.0.0.1].")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one [8000].")] = None,
    data_dir: DataDir = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer requests.")] = 1,
) -> None:
    """Serve GraphQL over HTTP, with an embedded PostgreSQL where no other is configured."""
    import uvicorn

    from app.schema import schema

    flags = {"host": host, "port": port, "data_dir": data_dir}
    with problems_in_one_line():
        settings = settings_of(**flags)
        # Worker processes read their settings from the environment, as the application does on its own.
        os.environ.update({environment_name(name): str(value) for name, value in flags.items() if value is not None})
        build_services(settings)
        # Read again by each process that serves; a manifest that cannot be used is told here, in one line.
        Documents(schema.core, settings)
        check_port(settings.host, settings.port)
        # uvicorn ends by raising the signal again: what stands below must still be given up in order.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with held(ready_database(settings, say)), suppress(KeyboardInterrupt):
            if settings.port:
                where = f"http://{in_url(settings.host)}:{settings.port}"
                say(f"console at {where}, GraphQL at {where}/graphql, playground at {where}/graphiql; Ctrl-C stops")
            uvicorn.run(
                "app.asgi:create_app",
                factory=True,
                host=settings.host,
                port=settings.port,
                workers=workers,
                log_config=None,
                access_log=False,
                server_header=False,
                # By name, as each process of several is told.
                http="app.graph.writing:WrittenAtOnce",
                # By name: uvicorn 0.54's older one, `websockets`, takes a third more CPU for an event.
                ws="websockets-sansio",
                # A message is refused before it is taken in; small ones, as events are, gain nothing by compression.
                ws_max_size=settings.max_body_bytes,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=ceil(settings.shutdown_seconds),
            )


def worker(data_dir: DataDir = None) -> None:
    """Work answers without serving requests: beside `serve`, on this machine or on others."""

    from app.probes.port import watched

    async def work() -> None:
        stopping = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        settings = settings_of(data_dir=data_dir)
        async with open_container(settings, say) as container, watched(settings, Probes(settings, lambda: container)):
            with exporting():
                say("working answers; Ctrl-C stops")
                await stopping.wait()

    run(work())


def chat(
    message: Annotated[str | None, typer.Argument(help="Send this, print the answer, and end; else ask.")] = None,
    url: Annotated[str | None, typer.Option(help="Where the server runs [http://127.0.0.1:8000].")] = None,
    session: Annotated[str | None, typer.Option(help="Id of a session to go on with.")] = None,
    model: Annotated[str | None, typer.Option(help="Model to ask, as provider:model.")] = None,
    user: Annotated[str | None, typer.Option(help="Whom to be, as user or user@tenant.")] = None,
) -> None:
    """Talk to a server that runs, and see its answers while they are written.

    Where it wants a token or an API key, it is taken from COLLOQUY_TOKEN: what stands in a command, all may read.
    """
    with problems_in_one_line():
        if url is None:
            # Without the server's log: what a client's libraries tell there is not for the person.
            settings = load_settings()
            url = f"http://{in_url(settings.host)}:{settings.port}"
        code = chat_in_terminal(
            Asked(place_of(url, user, os.environ.get("COLLOQUY_TOKEN") or None), session, model, message)
        )
    raise typer.Exit(code)
