"""Downloads: all of a file or a part, to whom it belongs, and never so that a browser runs it."""

from hashlib import sha256
from random import Random

import httpx2
import pytest

from app.attachments.http import disposition
from app.attachments.pipeline import SLICE_BYTES
from app.core.ids import global_id, new_id
from app.db.database import Database, PoolSettings
from app.graph.endpoints import BodyBroken
from tests.attachments.files import HTML, PNG, SVG, Message
from tests.client import client_of
from tests.fakes import StatementRecorder
from tests.worlds import ClientAs, rows

LONG = Random(1).randbytes(3 * SLICE_BYTES + 17)


async def get(message: Message, url: str, **headers: str) -> httpx2.Response:
    """The answer to a download."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await message.client.http.get(url, headers=named)


async def test_a_file_comes_back_in_slices_as_it_was(message: Message, statements: StatementRecorder) -> None:
    url = await message.url(LONG, "long.bin")
    statements.clear()

    answer = await get(message, url)

    assert answer.content == LONG
    assert len(statements.sent) == 1 + 4
    assert dict(answer.headers) == {
        "accept-ranges": "bytes",
        "cache-control": "private, max-age=31536000, immutable",
        "content-disposition": "attachment; filename=\"long.bin\"; filename*=UTF-8''long.bin",
        "content-length": str(len(LONG)),
        "content-security-policy": "sandbox; default-src 'none'",
        "content-type": "application/octet-stream",
        "cross-origin-resource-policy": "same-origin",
        "etag": f'"sha256-{sha256(LONG).hexdigest()}"',
        "vary": "X-Colloquy-User",
        "x-content-type-options": "nosniff",
        "x-correlation-id": answer.headers["x-correlation-id"],
    }


async def test_head_tells_the_same_and_reads_nothing(message: Message, statements: StatementRecorder) -> None:
    url = await message.url(LONG)
    whole = await get(message, url)
    statements.clear()

    head = await message.client.http.head(url, headers={"Range": "bytes=0-9"})

    same = {name: value for name, value in whole.headers.items() if name != "x-correlation-id"}
    assert (head.status_code, head.content) == (200, b"")
    assert {name: value for name, value in head.headers.items() if name != "x-correlation-id"} == same
    assert len(statements.sent) == 1


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-", 5, len(LONG)),
        ("bytes=-7", len(LONG) - 7, len(LONG)),
        (f"bytes={SLICE_BYTES - 1}-{2 * SLICE_BYTES}", SLICE_BYTES - 1, 2 * SLICE_BYTES + 1),
        ("bytes=10-99999999999", 10, len(LONG)),
    ],
)
async def test_a_part_is_sent_alone(message: Message, asked: str, start: int, stop: int) -> None:
    url = await message.url(LONG)

    answer = await get(message, url, range=asked)

    assert (answer.status_code, answer.content) == (206, LONG[start:stop])
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(LONG)}"
    assert answer.headers["content-length"] == str(stop - start)


async def test_a_part_behind_the_end_is_refused_with_the_length(message: Message) -> None:
    url = await message.url(b"abc")

    answer = await get(message, url, range="bytes=3-")

    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */3")


async def test_a_part_of_what_it_was_before_is_not_sent(message: Message) -> None:
    url = await message.url(b"abc")
    etag = (await get(message, url)).headers["etag"]

    same = await get(message, url, range="bytes=1-1", if_range=etag)
    other = await get(message, url, range="bytes=1-1", if_range='"sha256-other"')
    dated = await get(message, url, range="bytes=1-1", if_range="Sat, 21 Nov 2026 07:00:00 GMT")

    assert [answer.content for answer in (same, other, dated)] == [b"b", b"abc", b"abc"]


async def test_what_the_client_has_is_not_sent_again(message: Message, statements: StatementRecorder) -> None:
    url = await message.url(b"abc")
    etag = (await get(message, url)).headers["etag"]
    statements.clear()

    answers = [await get(message, url, if_none_match=known) for known in (etag, f'"x", W/{etag}', "*")]

    assert [(answer.status_code, answer.content) for answer in answers] == [(304, b"")] * 3
    assert {answer.headers["etag"] for answer in answers} == {etag}
    assert len(statements.sent) == 3
    assert (await get(message, url, if_none_match='"sha256-other"')).content == b"abc"


@pytest.mark.parametrize(
    ("content", "stored_as", "served_as"),
    [
        (HTML, "text/html", "application/octet-stream"),
        (SVG, "image/svg+xml", "application/octet-stream"),
        (b"<?xml version='1.0'?><feed/>", "text/xml", "application/octet-stream"),
        (b"alert(1)", "text/plain", "text/plain; charset=utf-8"),
        (PNG, "image/png", "image/png"),
    ],
)
async def test_nothing_is_served_as_what_a_browser_runs(
    message: Message, content: bytes, stored_as: str, served_as: str
) -> None:
    url = await message.url(content, "page.html")

    answer = await get(message, url)

    assert (await message.attached())[0]["contentType"] == stored_as
    assert answer.headers["content-type"] == served_as
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"


async def test_what_is_anothers_is_answered_as_what_is_not_there(message: Message, client_as: ClientAs) -> None:
    url = await message.url(PNG)
    nowhere = await get(message, f"/attachments/{global_id('MessageAttachment', new_id())}")

    answers = [await (await client_as(user)).http.get(url) for user in ("bob", "alice@acme", "system@acme")]
    admins = await (await client_as("system")).http.get(url)

    assert (nowhere.status_code, nowhere.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(404, nowhere.json()["error"])] * 3
    assert admins.content == PNG


async def test_an_id_of_something_else_is_refused(message: Message) -> None:
    answer = await get(message, f"/attachments/{message.id}")

    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "id")


async def test_no_connection_is_held_between_slices_and_a_deletion_cuts_the_answer(
    message: Message, dsn: str, services: dict[type, object]
) -> None:
    url = await message.url(LONG)
    single = await Database.connect(dsn, PoolSettings(size=1, connect_timeout_seconds=0.5))
    delete = "mutation ($id: ID!) { deleteAttachment(input: {attachmentId: $id}) { success } }"

    async with client_of(single, services, "alice") as client:
        app = client.http._transport.app  # type: ignore[attr-defined]
        sent: list[bytes] = []

        async def send(event: dict[str, object]) -> None:
            body = event.get("body", b"")
            assert isinstance(body, bytes)
            sent.append(body)
            if len(sent) == 2:
                # The client takes its time, and the one connection there is serves others.
                assert (await client.data(delete, {"id": url.rpartition("/")[2]}))["deleteAttachment"]["success"]

        with pytest.raises(BodyBroken):
            await app(_get(url), _nothing, send)
    await single.close()

    assert b"".join(sent) == LONG[:SLICE_BYTES]


def _get(path: str) -> dict[str, object]:
    return {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), (b"x-colloquy-user", b"alice")], "asgi": {"spec_version": "2.4"},
    }  # fmt: skip


async def _nothing() -> dict[str, object]:
    return {"type": "http.request", "body": b"", "more_body": False}


def test_a_name_in_any_script_is_told_to_old_clients_too() -> None:
    assert disposition('Фото "1"%.png') == (
        "attachment; filename=\"____ _1__.png\"; filename*=UTF-8''%D0%A4%D0%BE%D1%82%D0%BE%20%221%22%25.png"
    )
    assert disposition("a\\b").startswith('attachment; filename="a_b";')


async def test_the_content_is_kept_as_it_is_out_of_line(message: Message, dsn: str) -> None:
    await message.url(bytes(1024 * 1024))

    [found] = await rows(dsn, "SELECT pg_column_size(data) AS kept FROM message_attachments")

    assert found["kept"] == 1024 * 1024
