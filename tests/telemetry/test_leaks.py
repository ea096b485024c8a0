"""The watch over the log finds what must not be in it, in every notation that lines have."""

import logging
from typing import Any

import pytest

from tests.leaks import LogWatch

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl"


def watching(message: str, *sent: dict[str, Any]) -> str | None:
    """What is found where a library logs a message, in a test whose client has sent these variables."""
    watch = LogWatch()
    for variables in sent:
        watch.remember(variables)
    watch.handle(logging.LogRecord("library", logging.ERROR, __file__, 1, message, None, None))
    return watch.found()


@pytest.mark.parametrize(
    "secret",
    [
        TOKEN, f"colloquy_{'aB3-' * 15}", "Authorization: Bearer abcdefgh12345678", "sk-ant-0123456789abcdef0123",
        "postgresql://colloquy:hunter2@db.example:5432/colloquy",
    ],
)  # fmt: skip
def test_secrets_are_found_wherever_they_stand(secret: str) -> None:
    assert watching(f"cannot go on: '{secret}'") is not None


@pytest.mark.parametrize(
    "said",
    ["postgresql://colloquy@db.example/colloquy", "colloquy_streams", "the bearer of bad news", "risk-free-is-nothing"],
)
def test_what_is_no_secret_is_let_pass(said: str) -> None:
    assert watching(said) is None


@pytest.mark.parametrize("name", ["content", "feedback", "description"])
def test_texts_that_were_sent_are_found(name: str) -> None:
    text = 'She said:\n"the launch code is 0451"'
    variables = {"input": {"items": [{name: text, "title": "A title of no interest"}]}}

    assert watching(f"refused: {text!r}", variables) is not None
    assert watching("A title of no interest", variables) is None
    assert watching("nothing of it", variables) is None
    assert watching("short one", {name: "short one"}) is None
