"""The formats that files are read and written in."""

from enum import StrEnum


class ImportFormat(StrEnum):
    """How a file is written."""

    OPENAI_JSONL = "openai-jsonl"
    CHATGPT = "chatgpt"
    JSONL = "jsonl"
    PROMPTS = "prompts"
    """No conversations, but a library of prompts."""

    @property
    def unit(self) -> str:
        """What a refusal is counted by."""
        return "conversation" if self is ImportFormat.CHATGPT else "line"


class ExportFormat(StrEnum):
    """How a session is written."""

    JSONL = "jsonl"
    OPENAI = "openai"
    MARKDOWN = "markdown"
    PROMPTS = "prompts"
    """No session, but the library of prompts."""

    @property
    def media_type(self) -> str:
        """What it is, to a browser."""
        return "text/markdown; charset=utf-8" if self is ExportFormat.MARKDOWN else "application/jsonl"

    @property
    def ending(self) -> str:
        """Of a file's name."""
        return "md" if self is ExportFormat.MARKDOWN else "jsonl"
