"""The audit suite of the specification GraphQL over HTTP finds nothing that a server must or should do otherwise."""

import json
from collections import Counter
from pathlib import Path

from pydantic import SecretStr

from app.asgi import create_app
from app.core.settings import load_settings
from tests.cli.commands import left_as_found
from tests.node import WEB, node, printed, require_package
from tests.web.server import serving

AUDITS = """
import { serverAudits } from "graphql-http";
const audits = serverAudits({ url: process.argv[2] });
for (const { id, name, status, reason } of await Promise.all(audits.map(({ fn }) => fn())))
  console.log(JSON.stringify({ id, name, status, reason }));
"""


async def test_no_audit_of_the_specification_fails(dsn: str, tmp_path: Path) -> None:
    require_package("graphql-http")
    (tmp_path / "node_modules").symlink_to(WEB / "node_modules")
    program = tmp_path / "audits.mjs"
    program.write_text(AUDITS)

    with left_as_found(), serving(create_app(load_settings(database_url=SecretStr(dsn)))) as url:
        lines = (await printed([node(), str(program), f"{url}/graphql"], tmp_path)).splitlines()

    found = [json.loads(line) for line in lines]
    # What the suite calls optional (MAY) is shown, and does not fail the test.
    print(*(each for each in found if each["status"] == "notice"), sep="\n")
    assert [each for each in found if each["status"] in ("error", "warn")] == []
    levels = Counter(each["name"].split()[0] for each in found)
    assert levels["MUST"] >= 13
    assert levels["SHOULD"] >= 23
