"""Sessions as they are written: the lossless format, OpenAI's chat format, and Markdown; piece by piece."""

from collections.abc import AsyncIterator
from typing import assert_never

import orjson

from app.core.errors import ValidationError
from app.core.text import slug
from app.exchange.formats import attachments
from app.exchange.formats.executions import execution_record
from app.exchange.formats.markdown import heading, written
from app.exchange.formats.names import ExportFormat
from app.exchange.formats.openai import messages_of
from app.exchange.formats.records import agent_state_record, call_record, end_record, message_record, session_record
from app.exchange.loaders import SessionReading, WholeMessage
from app.tools.loaders import ExecutionTexts

LONGEST_NAME = 60
"""Characters of a file's name: a title is a sentence."""


def exported(reading: SessionReading, format_: ExportFormat) -> AsyncIterator[bytes]:
    """A session, a page of messages at a time; SessionNotFound when it is deleted on the way."""
    match format_:
        case ExportFormat.JSONL:
            return _jsonl(reading)
        case ExportFormat.OPENAI:
            return _openai(reading)
        case ExportFormat.MARKDOWN:
            return _markdown(reading)
        case ExportFormat.PROMPTS:
            raise ValidationError("prompts are no session", field="format", hint="choose another format")
        case _:
            assert_never(format_)


def file_name(title: str, format_: ExportFormat) -> str:
    """The name of a file for a session, in letters that every system takes."""
    return f"{slug(title, at_most=LONGEST_NAME) or 'conversation'}.{format_.ending}"


async def _jsonl(reading: SessionReading) -> AsyncIterator[bytes]:
    states = [agent_state_record(state) for state in reading.agent_states]
    yield b"".join(_line(one) for one in (session_record(reading.session, reading.filed, reading.active_leaf), *states))
    async for page in reading.all():
        texts = reading.texts(page)
        for whole in page:
            async for piece in _lines(reading, whole, texts):
                yield piece
    yield _line(end_record(reading.session, reading.last))


async def _lines(
    reading: SessionReading, whole: WholeMessage, texts: AsyncIterator[ExecutionTexts | None]
) -> AsyncIterator[bytes]:
    """A message and what hangs on it. What was deleted meanwhile is left out, if the session is still there."""
    number = whole.message.sequence_number
    calls = [call_record(call, number) for call in whole.calls]
    yield b"".join(_line(record) for record in (message_record(whole.message, whole.parent), *calls))
    for call, execution in whole.executions:
        of_execution = await anext(texts)
        if of_execution is None:
            await reading.require()
        else:
            yield _line(execution_record(number, call.position, execution, of_execution))
    for file in whole.attachments:
        has_begun = False
        async for piece in attachments.written(reading.database, file, number):
            has_begun = True
            yield piece
        if not has_begun:
            await reading.require()


def _line(record: object) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


async def _openai(reading: SessionReading) -> AsyncIterator[bytes]:
    """One line, whatever its length; none for a session in which nothing was said."""
    path = await reading.path()
    answered = {place.tool_call_id for place in path if place.tool_call_id is not None}
    before = b'{"messages":['
    async for page in reading.along(path):
        pieces = [orjson.dumps(message) for whole in page for message in messages_of(whole, answered)]
        if pieces:
            yield before + b",".join(pieces)
            before = b","
    if before == b",":
        yield b"]}\n"


async def _markdown(reading: SessionReading) -> AsyncIterator[bytes]:
    yield heading(reading.session).encode()
    async for page in reading.along(await reading.path()):
        yield "".join(written(whole) for whole in page).encode()
