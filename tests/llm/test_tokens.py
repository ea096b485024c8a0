"""Counting tokens: exact where the vocabulary is known, marked where it is not, and never slow or surprising."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.llm.tokens import (
    CUT_ERROR_TOKENS,
    SLICE_CHARACTERS,
    Encoding,
    TokenCount,
    count_tokens,
    encoding_of,
    estimate_by_length,
    slices,
    warm_up,
)

# The hard cuts are checked against the tokenizer itself, whole.
rs_bpe = pytest.importorskip("rs_bpe.bpe", reason="rs-bpe has no wheel for this Python").openai

PROSE = "The committee met on Tuesday, and it didn't agree: 12,500 units (or 3.5%) were lost.\n\nWhy?  Nobody knew. "
O200K, CL100K = "openai:gpt-4o", "openai:gpt-4"


@pytest.mark.parametrize(
    ("text", "o200k", "cl100k"),
    [
        ("", 0, 0),
        ("hello world", 2, 2),
        ("antidisestablishmentarianism", 6, 6),
        ("2 + 2 = 4", 7, 7),
        ("tiktoken is great!", 6, 6),
        ("お誕生日おめでとう", 8, 9),
        ("\0", 1, 1),
        ("<|endoftext|>", 7, 7),
    ],
)
def test_known_texts_have_their_published_counts(text: str, o200k: int, cl100k: int) -> None:
    assert count_tokens(text, O200K) == TokenCount(o200k, estimated=False)
    assert count_tokens(text, CL100K) == TokenCount(cl100k, estimated=False)


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4o", Encoding.O200K),
        ("gpt-4o-mini-2024-07-18", Encoding.O200K),
        ("openai:gpt-4.1-nano", Encoding.O200K),
        ("openai:gpt-4.5-preview", Encoding.O200K),
        ("openai:gpt-5", Encoding.O200K),
        ("openai:gpt-5.1-mini", Encoding.O200K),
        ("OpenAI:GPT-5", Encoding.O200K),
        ("chatgpt-4o-latest", Encoding.O200K),
        ("o1", Encoding.O200K),
        ("azure:o3-mini", Encoding.O200K),
        ("o4-mini", Encoding.O200K),
        ("openrouter:openai/gpt-4o", Encoding.O200K),
        ("ollama:gpt-oss:20b", Encoding.O200K),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc123", Encoding.O200K),
        ("openai:ft:gpt-3.5-turbo:acme", Encoding.CL100K),
        ("gpt-4", Encoding.CL100K),
        ("openai:gpt-4-turbo", Encoding.CL100K),
        ("gpt-3.5-turbo-0125", Encoding.CL100K),
        ("azure:gpt-35-turbo", Encoding.CL100K),
        ("text-embedding-3-small", Encoding.CL100K),
        ("text-embedding-ada-002", Encoding.CL100K),
        ("anthropic:claude-sonnet-4-5", None),
        ("ollama:llama3.2:3b", None),
        ("local", None),
        ("gpt-40", None),
        ("gpt-50", None),
        ("gpt-6", None),
        ("o11", None),
        ("solo1", None),
        ("", None),
        (":", None),
        (None, None),
    ],
)
def test_a_model_is_known_by_its_family(model: str | None, encoding: Encoding | None) -> None:
    assert encoding_of(model) == encoding


@pytest.mark.parametrize("model", ["anthropic:claude-sonnet-4-5", "local", "a model nobody has heard of", None])
def test_unknown_models_are_counted_by_o200k_and_marked(model: str | None) -> None:
    assert count_tokens("お誕生日おめでとう", model) == TokenCount(8, estimated=True)
    assert count_tokens("", model) == TokenCount(0, estimated=True)


@pytest.mark.parametrize("text", ["\ud800", "fine \udfff not fine", "a" * 100_000 + "\udc80", "\ud83d\ude00"])
@pytest.mark.parametrize("model", [O200K, None])
def test_a_lone_surrogate_is_refused_without_repeating_the_text(text: str, model: str | None) -> None:
    with pytest.raises(ValueError, match="lone surrogate") as refusal:
        count_tokens(text, model)

    assert type(refusal.value) is ValueError
    assert text not in str(refusal.value)


@pytest.mark.parametrize("model", [O200K, CL100K])
def test_long_texts_with_spaces_are_counted_exactly(model: str) -> None:
    long_text = PROSE * 1_000
    encoder = rs_bpe.o200k_base() if model == O200K else rs_bpe.cl100k_base()

    assert len(list(slices(long_text))) > 10
    assert count_tokens(long_text, model).tokens == encoder.count(long_text)


@given(st.text(alphabet="ab1.,'/ \t\r\n\u00a0éÉ漢😀\x1c", max_size=60), st.integers(0, 40))
def test_a_cut_before_a_space_changes_nothing(unit: str, shift: int) -> None:
    text = "x" * shift + (unit + "b a") * (2 * SLICE_CHARACTERS // (len(unit) + 3) + 1)

    for encoder in (rs_bpe.o200k_base(), rs_bpe.cl100k_base()):
        assert sum(encoder.count(piece) for piece in slices(text)) == encoder.count(text)


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        " ",
        "\n",
        "\t",
        "-",
        "=-",
        "7",
        "aA",
        "漢",
        "\u00a0",
        "😀",
        "👨‍👩‍👧",
        "🇩🇪",
        "e\u0301",
        "สวัสดีครับ",
        "international",
        "\r\n",
        "'s",
    ],
)
def test_hard_cuts_stay_within_their_bound(unit: str) -> None:
    text = (unit * 50_000)[:50_000]
    cuts = len(list(slices(text))) - 1

    assert cuts == 6
    for model, encoder in ((O200K, rs_bpe.o200k_base()), (CL100K, rs_bpe.cl100k_base())):
        assert abs(count_tokens(text, model).tokens - encoder.count(text)) <= cuts * CUT_ERROR_TOKENS


@pytest.mark.parametrize(
    "alphabet", ["abcdefghijklmnopqrstuvwxyz", "0123456789", "-=*#/.,\n\t\r", "aAbB漢é😀", "的一是在不了有和人"]
)
def test_hard_cuts_of_random_text_stay_within_their_bound(alphabet: str) -> None:
    text = "".join(random.Random(7).choices(alphabet, k=200_000))
    cuts = len(list(slices(text))) - 1

    for model, encoder in ((O200K, rs_bpe.o200k_base()), (CL100K, rs_bpe.cl100k_base())):
        assert abs(count_tokens(text, model).tokens - encoder.count(text)) <= cuts * CUT_ERROR_TOKENS


@given(st.text(), st.integers(0, 3 * SLICE_CHARACTERS))
def test_slices_are_the_text_and_keep_their_sizes(text: str, repeats: int) -> None:
    long_text = (text * (repeats // (len(text) or 1) + 1))[: 3 * SLICE_CHARACTERS]

    pieces = list(slices(long_text))

    assert "".join(pieces) == long_text
    assert all(len(piece) <= SLICE_CHARACTERS for piece in pieces)
    assert all(len(piece) >= SLICE_CHARACTERS // 2 for piece in pieces[:-1])


@given(st.text(), st.one_of(st.none(), st.text(), st.sampled_from([O200K, CL100K])))
def test_any_text_has_a_count(text: str, model: str | None) -> None:
    count = count_tokens(text, model)

    # A token is one byte at the least, so a text never has more tokens than bytes, nor none if it is not empty.
    assert bool(text) <= count.tokens <= len(text.encode())
    assert count == count_tokens(text, model)


@given(st.text())
def test_the_estimate_by_length_is_zero_for_nothing_alone(text: str) -> None:
    assert bool(text) <= estimate_by_length(text) <= len(text)


def test_the_estimate_by_length_is_near_for_english() -> None:
    exact = count_tokens(PROSE, O200K).tokens

    assert exact * 2 / 3 < estimate_by_length(PROSE) < exact * 4 / 3


def test_without_the_library_every_count_is_a_marked_estimate() -> None:
    program = (
        "import sys; sys.modules['rs_bpe'] = None\n"  # A module that is None cannot be imported, as one not installed.
        "from app.llm.tokens import count_tokens, warm_up\n"
        "warm_up(); print(count_tokens('hello world', 'gpt-4o'))"
    )

    run = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )

    assert run.stdout == "TokenCount(tokens=3, estimated=True)\n"
    assert run.stderr == ""


def test_warming_up_loads_both_vocabularies() -> None:
    warm_up()

    assert rs_bpe.is_cached_o200k()
    assert rs_bpe.is_cached_cl100k()
