"""Attaching files: what is stored of them, and what is refused."""

import asyncio
import json
from hashlib import sha256
from typing import Any

import pytest

from app.attachments import service
from app.core.actor import Actor
from app.core.ids import global_id, new_id, parse_global_id
from app.db.database import Database
from app.graph.uploads import LARGEST_FILE_BYTES
from app.messages.values import MessageId
from tests.attachments.files import HTML, PNG, Message
from tests.client import GraphQLClient
from tests.conversations import broken_rules
from tests.fakes import StatementRecorder
from tests.uploads import FileToSend
from tests.worlds import ClientAs, rows, stored


async def test_a_file_is_attached_by_a_mutation(message: Message) -> None:
    """S1-10."""
    payload = await message.attach(FileToSend(PNG, "Фото 1.png", "image/png"))

    found = payload["attachment"]
    assert (payload["error"], payload["warnings"]) == (None, [])
    assert found == {
        "id": found["id"], "fileName": "Фото 1.png", "contentType": "image/png", "size": str(len(PNG)),
        "sha256": sha256(PNG).hexdigest(), "uploadedAt": found["uploadedAt"], "url": f"/attachments/{found['id']}",
        "message": {"id": message.id},
    }  # fmt: skip
    assert (await message.client.http.get(found["url"])).content == PNG


async def test_a_file_is_attached_by_a_plain_request(message: Message) -> None:
    answer = await message.post(PNG, "image/png", params={"fileName": "a/b/photo.png"})

    found = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, found["url"])
    assert found == {
        "id": found["id"], "fileName": "photo.png", "contentType": "image/png", "size": len(PNG),
        "sha256": sha256(PNG).hexdigest(), "uploadedAt": found["uploadedAt"], "url": f"/attachments/{found['id']}",
        "deduplicated": False, "warnings": [],
    }  # fmt: skip
    assert (await message.client.http.get(found["url"])).content == PNG


async def test_a_form_of_one_file_is_a_plain_request_too(message: Message) -> None:
    url, form = f"/messages/{message.id}/attachments", {"anything": ("photo.png", PNG, "image/png")}

    answer = await message.client.http.post(url, files=form, headers={"X-Colloquy-Preflight": "1"})

    assert (answer.status_code, answer.json()["fileName"], answer.json()["size"]) == (201, "photo.png", len(PNG))


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="plan.pdf"', "plan.pdf"),
        ("attachment; filename*=UTF-8''%D0%BF%D0%BB%D0%B0%D0%BD.pdf", "план.pdf"),
        ("attachment", "attachment"),
    ],
)
async def test_a_plain_request_may_name_its_file_in_a_header(message: Message, header: str, name: str) -> None:
    answer = await message.post(b"%PDF-1.7", headers={"Content-Disposition": header})

    assert answer.json()["fileName"] == name


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"), ("C:\\temp\\a.txt", "a.txt"), ("a\r\nSet-Cookie: x.txt", "aSet-Cookie: x.txt"),
        ("", "attachment"), ("..", "attachment"), ("/", "attachment"), ("annexe\u202egpj.exe", "annexegpj.exe"),
        (" 旅行 🧳.txt ", "旅行 🧳.txt"), ("e\u0301.txt", "é.txt"),
    ],
)  # fmt: skip
async def test_a_name_is_kept_without_what_no_name_has(message: Message, given: str, kept: str) -> None:
    payload = await message.attach(FileToSend(b"x"), fileName=given)

    assert payload["attachment"]["fileName"] == kept


async def test_ten_mebibytes_are_taken_and_not_one_byte_more(message: Message, dsn: str) -> None:
    """S1-10."""
    largest = bytes(LARGEST_FILE_BYTES)

    taken = await message.attach(FileToSend(largest))
    also_taken = await message.post(largest)
    before = await stored(dsn)
    variables = {"input": {"messageId": message.id, "file": FileToSend(largest + b"x")}}
    refused = await message.client.post(
        "mutation ($input: UploadAttachmentInput!) { uploadAttachment(input: $input) { success } }", variables
    )
    also_refused = await message.post(largest + b"x")

    assert (taken["attachment"]["size"], also_taken.json()["size"]) == (str(LARGEST_FILE_BYTES), LARGEST_FILE_BYTES)
    found = refused.json()["errors"][0]["extensions"]
    assert (refused.status_code, found["code"], found["field"]) == (413, "LIMIT_EXCEEDED", "file")
    error = also_refused.json()["error"]
    assert (also_refused.status_code, error["code"], error["field"]) == (413, "LIMIT_EXCEEDED", "file")
    assert await stored(dsn) == before
    assert await broken_rules(dsn) == []


async def test_a_file_without_content_is_one(message: Message) -> None:
    url = await message.url(b"", "empty.txt")

    answer = await message.client.http.get(url)

    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")


async def test_a_body_without_a_length_is_counted_while_it_is_read(message: Message, dsn: str) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 100:
            sent += 1
            yield bytes(1024 * 1024)

    before = await stored(dsn)

    answer = await message.post(endless())

    assert (answer.status_code, answer.json()["error"]["code"], sent) == (413, "LIMIT_EXCEEDED", 11)
    assert await stored(dsn) == before


async def test_what_is_announced_too_long_is_refused_before_it_is_read(message: Message) -> None:
    async def unread() -> Any:
        raise AssertionError("the body was read")
        yield b""

    answer = await message.post(unread(), headers={"Content-Length": str(LARGEST_FILE_BYTES + 1)})

    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "LIMIT_EXCEEDED")


async def test_a_lie_about_the_type_is_corrected_and_told(message: Message) -> None:
    picture = await message.attach(FileToSend(PNG, "a.html", "text/html"))
    page = await message.post(HTML, "image/png")

    assert picture["attachment"]["contentType"] == "image/png"
    assert picture["warnings"] == [
        {"code": "CONTENT_TYPE_CORRECTED", "message": "the file was sent as text/html; by its content it is image/png"}
    ]
    assert (page.json()["contentType"], page.json()["warnings"][0]["code"]) == ("text/html", "CONTENT_TYPE_CORRECTED")


async def test_a_message_has_at_most_32(message: Message, dsn: str) -> None:
    for number in range(32):
        assert (await message.attach(FileToSend(b"x", f"{number}.txt")))["success"]
    before = await stored(dsn)

    payload = await message.attach(FileToSend(b"x"))

    assert (payload["error"]["code"], payload["error"]["field"]) == ("LIMIT_EXCEEDED", "messageId")
    assert await stored(dsn) == before
    assert [found["fileName"] for found in await message.attached()] == [f"{number}.txt" for number in range(32)]
    assert await broken_rules(dsn) == []


async def test_many_at_once_are_all_counted(message: Message, dsn: str) -> None:
    payloads = await asyncio.gather(*(message.attach(FileToSend(b"x", f"{number}")) for number in range(40)))

    assert sum(payload["success"] for payload in payloads) == 32
    assert {payload["error"]["code"] for payload in payloads if payload["error"]} == {"LIMIT_EXCEEDED"}
    assert await rows(dsn, "SELECT attachment_count FROM chat_messages") == [{"attachment_count": 32}]
    assert await broken_rules(dsn) == []


async def test_one_key_at_once_by_both_ways_is_one_attachment(message: Message, dsn: str) -> None:
    by_mutation = [message.attach(FileToSend(PNG, "a.png"), clientKey="once") for _ in range(4)]
    by_request = [
        message.post(PNG, params={"fileName": "a.png"}, headers={"Idempotency-Key": "once"}) for _ in range(4)
    ]

    payloads, answers = await asyncio.gather(asyncio.gather(*by_mutation), asyncio.gather(*by_request))

    ids = {payload["attachment"]["id"] for payload in payloads} | {answer.json()["id"] for answer in answers}
    repeats = [payload["deduplicated"] for payload in payloads] + [answer.json()["deduplicated"] for answer in answers]
    assert len(ids) == 1
    assert sorted(repeats) == [False] + [True] * 7
    assert len(await message.attached()) == 1
    assert await broken_rules(dsn) == []


async def test_a_key_of_other_bytes_is_refused(message: Message, dsn: str) -> None:
    await message.attach(FileToSend(PNG, "a.png"), clientKey="once")
    before = await stored(dsn)

    payload = await message.attach(FileToSend(PNG + b"x", "a.png"), clientKey="once")
    answer = await message.post(PNG, params={"fileName": "b.png"}, headers={"Idempotency-Key": "once"})

    assert payload["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert await stored(dsn) == before


async def test_a_message_of_another_takes_nothing(message: Message, client_as: ClientAs, dsn: str) -> None:
    before = await stored(dsn)

    answers = [
        await Message(await client_as(user), message.session, message.id).post(PNG)
        for user in ("bob", "alice@acme", "system")
    ]
    nowhere = await Message(message.client, "", global_id("ChatMessage", new_id())).post(PNG)

    found = {(answer.status_code, answer.json()["error"]["code"]) for answer in [*answers, nowhere]}
    assert found == {(404, "MESSAGE_NOT_FOUND")}
    assert await stored(dsn) == before


async def test_a_tombstone_has_no_attachments_and_takes_none(message: Message, dsn: str) -> None:
    url = await message.url(PNG)
    await message.client.mutate("deleteMessage", "message { id }", {"messageId": message.id})

    payload = await message.attach(FileToSend(PNG))
    answer = await message.post(PNG)

    assert payload["error"]["code"] == "INVALID_TRANSITION"
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "INVALID_TRANSITION")
    assert await message.attached() == []
    assert (await message.client.http.get(url)).status_code == 404
    assert await rows(dsn, "SELECT id FROM message_attachments") == []
    assert await broken_rules(dsn) == []


async def test_a_deleted_session_takes_its_attachments_along(message: Message, dsn: str) -> None:
    await message.attach(FileToSend(PNG))

    await message.client.mutate("deleteSession", "deletedSessionId", {"sessionId": message.session})

    assert await rows(dsn, "SELECT id FROM message_attachments") == []


async def test_an_attachment_is_deleted_once(message: Message, dsn: str) -> None:
    attachment = (await message.attach(FileToSend(PNG, "a.png")))["attachment"]

    payloads = await asyncio.gather(
        *(
            message.client.mutate("deleteAttachment", "attachment { fileName }", {"attachmentId": attachment["id"]})
            for _ in range(3)
        )
    )

    assert sorted(str(payload["error"] and payload["error"]["code"]) for payload in payloads) == [
        "NOT_FOUND", "NOT_FOUND", "None",
    ]  # fmt: skip
    assert [payload["attachment"] for payload in payloads if payload["success"]] == [{"fileName": "a.png"}]
    assert await message.attached() == []
    kinds = await rows(dsn, "SELECT kind, payload FROM events WHERE kind LIKE 'attachment.%' ORDER BY seq")
    facts = {"messageId": message.id, "attachmentId": attachment["id"]}
    assert [row["kind"] for row in kinds] == ["attachment.added", "attachment.deleted"]
    assert all(facts.items() <= _json(row["payload"]).items() for row in kinds)
    assert await broken_rules(dsn) == []


def _json(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


async def test_attachments_of_many_messages_are_one_statement_that_reads_no_content(
    client: GraphQLClient, message: Message, statements: StatementRecorder
) -> None:
    """S1-9."""
    for _ in range(5):
        other = Message(client, message.session, (await client.say(message.session))["message"]["id"])
        await other.attach(FileToSend(PNG))
    query = "query ($id: ID!) { session(id: $id) { messages { nodes { attachments { fileName size } } } } }"
    statements.clear()

    await client.data(query, {"id": message.session})

    assert len(statements.sent) == 3
    assert not any("message_attachments.data" in sql for sql in statements.sent)


async def test_messages_without_attachments_ask_for_none(
    client: GraphQLClient, message: Message, statements: StatementRecorder
) -> None:
    statements.clear()

    await client.data("query ($id: ID!) { message(id: $id) { attachments { id } } }", {"id": message.id})

    assert len(statements.sent) == 1


async def test_copies_of_messages_have_copies_of_their_attachments(
    client: GraphQLClient, message: Message, database: Database, actor: Actor, dsn: str
) -> None:
    old = [message.id] + [(await client.say(message.session))["message"]["id"] for _ in range(2)]
    new = [(await client.say(message.session))["message"]["id"] for _ in range(3)]
    for number in range(3):
        await message.attach(FileToSend(b"first %d" % number, f"{number}"))
    await Message(client, message.session, old[1]).attach(FileToSend(b"second"))
    keys = {
        MessageId(parse_global_id(before, "ChatMessage")): MessageId(parse_global_id(after, "ChatMessage"))
        for before, after in zip(old, new, strict=True)
    }

    async with database.unit_of_work() as uow:
        await service.copy(uow, actor, keys)

    copied = [await Message(client, message.session, found).attached() for found in new]
    assert [[found["fileName"] for found in of_one] for of_one in copied] == [["0", "1", "2"], ["notes.txt"], []]
    assert (await client.http.get(f"/attachments/{copied[0][2]['id']}")).content == b"first 2"
    assert (
        len({found["id"] for of_one in copied for found in of_one} & {f["id"] for f in await message.attached()}) == 0
    )
    assert await broken_rules(dsn) == []
