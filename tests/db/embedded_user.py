"""A process that uses the cluster at ROOT, run as `embedded_user.py hold|write ROOT`; a line on its input begins it.

`hold` prints the address, waits for the end of its input, leaves, and prints whether the server was stopped.
`write` inserts rows for ever and prints each id once PostgreSQL has acknowledged it.
"""

import asyncio
import sys
from pathlib import Path

import asyncpg

from app.db.embedded import EmbeddedPostgres


def hold(server: EmbeddedPostgres) -> None:
    print(server.start(), flush=True)
    sys.stdin.read()
    print(server.stop(), flush=True)


async def write(address: str) -> None:
    connection = await asyncpg.connect(address)
    await connection.execute("CREATE TABLE written (id int PRIMARY KEY)")
    for number in range(1_000_000):
        await connection.execute("INSERT INTO written VALUES ($1)", number)
        print(number, flush=True)


if __name__ == "__main__":
    sys.stdin.readline()
    user = EmbeddedPostgres(Path(sys.argv[2]))
    if sys.argv[1] == "hold":
        hold(user)
    else:
        asyncio.run(write(user.start()))
