"""The failures of providers, as they are told."""

import re
from pathlib import Path

import pytest

from app.core.errors import ErrorCode
from app.llm.errors import FailureReason, failure


@pytest.mark.parametrize("reason", FailureReason)
def test_every_failure_says_what_is_wrong_and_how_to_mend_it(reason: FailureReason) -> None:
    found = failure(reason, "openai")

    assert "openai" in found.message
    assert found.hint
    assert found.details == {"reason": reason.value, "provider": "openai"}


@pytest.mark.parametrize("reason", FailureReason)
def test_time_limits_have_a_code_of_their_own(reason: FailureReason) -> None:
    timed = reason.value.endswith("timeout") or reason is FailureReason.SILENCE

    assert (failure(reason, "openai").code is ErrorCode.PROVIDER_TIMEOUT) is timed


def test_page_tells_of_every_reason() -> None:
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text()

    told = re.findall(r"^\| `(\w+)` \| (yes|no) \|", page, re.MULTILINE)

    assert told == [(reason.value, "yes" if failure(reason, "openai").retryable else "no") for reason in FailureReason]
