"""Answers made of what others said: the sentences that share words with the last turn."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.llm.port import ConversationPart, Speaker

OPENING = "This is Colloquy's built-in local model. It cannot think; it quotes what it was given."
"""How each answer begins: nobody is to take it for a language model."""

NOTHING = "Nothing that was said or given before shares a word with this turn, so there is nothing to quote."

MOST_QUOTES = 3
LONGEST_QUOTE = 300
LONGEST_RESULT = 2_000
"""Characters of a tool's result that are quoted."""

CHARACTERS_READ = 200_000
"""Of a longer conversation the latest are searched; so many take some 50 ms of a thread."""

MOST_CONTEXT_ITEMS = 1_000

_COMMON = frozenset(
    {
        "the", "and", "for", "are", "was", "were", "that", "this", "with", "what", "when", "where", "which", "who",
        "whom", "why", "how", "does", "did", "has", "have", "had", "from", "about", "you", "your", "can", "could",
        "would", "should", "will", "into", "there", "their", "them", "they", "tell", "please", "not", "but",
    }
)  # fmt: skip
"""Words that say nothing of what a turn is about."""

# Thai, Lao, Khmer, kana and Han are written without spaces: there, two neighbouring characters stand for a word.
_UNSPACED = "\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_RUN = re.compile(rf"[{_UNSPACED}]+|[^\W{_UNSPACED}]+")
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")
SENTENCE = re.compile(r"(?:[^.!?。！？\n]|[.!?](?=\S))+[.!?。！？]*")


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    source: str


def answer_from(conversation: Sequence[ConversationPart]) -> str:
    """The answer to the last turn: the results of tools that it ends with, or else the best sentences before it."""
    results = _results(conversation)
    if results:
        return "\n\n".join([OPENING, *results])
    quotes = _best(list(_sentences(conversation)), _last_words(conversation))
    if not quotes:
        return f"{OPENING}\n\n{NOTHING}"
    return "\n\n".join([OPENING, *(f"> {shortened(quote.text)}\n({quote.source})" for quote in quotes)])


def _results(conversation: Sequence[ConversationPart]) -> list[str]:
    names = {call.call_id: call.name for part in conversation for call in part.tool_calls}
    shown: list[str] = []
    for part in reversed(conversation):
        if part.speaker is not Speaker.TOOL:
            break
        name = names.get(part.tool_call_id or "", "a tool")
        shown.append(f"The result of {name}:\n\n> {shortened(part.text, LONGEST_RESULT)}")
    return shown[::-1]


def _last_words(conversation: Sequence[ConversationPart]) -> frozenset[str]:
    return frozenset(words_of(conversation[-1].text[:CHARACTERS_READ])) if conversation else frozenset()


def _sentences(conversation: Sequence[ConversationPart]) -> Iterator[_Sentence]:
    """Newest first, until enough was read; what the turn itself was given counts, what it says does not."""
    left = CHARACTERS_READ
    for position, part in enumerate(reversed(conversation)):
        given = [(text, f"from {kind}") for kind, text in _context_texts(part)]
        # Not from our own earlier answers: they hold nothing new.
        said = [] if position == 0 or part.text.startswith(OPENING) else [(part.text, _SOURCES[part.speaker])]
        for text, source in [*given, *said]:
            if left <= 0:
                return
            piece = text[:left]
            left -= len(piece)
            yield from (_Sentence(found[0].strip(), source) for found in SENTENCE.finditer(piece))


_SOURCES = {
    Speaker.SYSTEM: "from the instructions",
    Speaker.USER: "said earlier by the user",
    Speaker.ASSISTANT: "said earlier by the assistant",
    Speaker.TOOL: "from a tool's result",
}


def _context_texts(part: ConversationPart) -> Iterator[tuple[str, str]]:
    left = MOST_CONTEXT_ITEMS
    for kind, items in part.context.items():
        for item in items[:left]:
            yield from ((kind, text) for text in _texts(item))
        left -= len(items)
        if left <= 0:
            return


def _texts(value: Any) -> Iterator[str]:
    # Depth is bounded where items are taken in.
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _best(sentences: list[_Sentence], wanted: frozenset[str]) -> list[_Sentence]:
    """The sentences that share the most words with the turn, rare words counting more; of equals the newest."""
    shared: dict[str, tuple[_Sentence, frozenset[str]]] = {}
    for sentence in sentences:
        words = wanted.intersection(words_of(sentence.text))
        if words:
            shared.setdefault(sentence.text, (sentence, words))
    often = Counter(word for _, words in shared.values() for word in words)
    # Summed in the order of the words: a set's own differs between processes, and a sum of fractions with it.
    ranked = sorted(shared.values(), key=lambda found: -sum(1 / often[word] for word in sorted(found[1])))
    return [sentence for sentence, _ in ranked[:MOST_QUOTES]]


def words_of(text: str) -> Iterable[str]:
    """The words that say what a text is about, in small letters; pairs of characters where there are no spaces."""
    for run in _RUN.finditer(text.casefold()):
        word = run[0]
        if _IS_UNSPACED.match(word):
            yield from (word[at : at + 2] for at in range(max(1, len(word) - 1)))
        elif len(word) > 2 and word not in _COMMON:
            yield word


def shortened(text: str, limit: int = LONGEST_QUOTE) -> str:
    """A text for a block of quotes, cut where it is longer than `limit`."""
    quoted = text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"
    return quoted.replace("\n", "\n> ")
