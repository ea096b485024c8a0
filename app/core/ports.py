"""Addresses to listen on."""

import errno
import os
import socket

from app.core.settings import SettingsError


def check_port(host: str, port: int) -> None:
    """Raise SettingsError where another program listens; uvicorn would tell it in its log, with the database up."""
    for family, _, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            socket.create_server(address, family=family).close()
        except OSError as error:
            # Other faults are left to uvicorn: `localhost` may have an address that this machine does not serve.
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                reason = os.strerror(error.errno).lower()
                raise SettingsError(
                    f"cannot listen on port {port} of {host}: {reason}; choose another (--port or COLLOQUY_PORT)"
                ) from None


def in_url(host: str) -> str:
    """A host as a URL has it."""
    return f"[{host}]" if ":" in host else host
