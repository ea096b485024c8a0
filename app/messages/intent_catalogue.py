"""Reads the catalogue of intents and refuses one that would not do what its author meant.

A catalogue is a JSON file in UTF-8, a list of intents:

    [
      {
        "name": "CANCEL",
        "description": "Wants to call off something that was agreed, ordered or booked.",
        "keywords": ["cancel", "call off", {"phrase": "no longer need", "weight": 1.5}]
      }
    ]

- `name`: letters, digits, "_", "-" and ".", starting with a letter, at most 64 characters; no two alike.
- `description`: for people; not empty.
- `keywords`: at least one. A keyword is a word or a phrase of at most 8 words, alone or as `phrase` with a `weight`
  above 0 and at most 10 (1 if not given). Every inflection and both spellings of a word match: "cancel" also finds
  "cancelled" and "canceling", so two keywords of an intent that come to the same are refused. "a", "the", "my" and the
  like may stand between the words of a phrase in a message and need not be in the catalogue.
- The same keyword may serve several intents, with different weights. How weights become a score is said in `intent.py`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.messages.stems import LONGEST_WORD, NO_STEM, Stems, split_words

BUILT_IN = Path(__file__).with_name("intents.json")
MAX_WEIGHT = 10.0
MAX_PHRASE_WORDS = 8
"""Bounds the work a message can cause at each of its words."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_LETTER = re.compile(r"[^\W\d_]")


class IntentCatalogueError(ValueError):
    """The catalogue cannot be used; the message names the place in the file and what to do."""

    def __init__(self, path: Path, place: str, fault: str) -> None:
        super().__init__(f"intent catalogue {path}, {place}: {fault}")
        self.path, self.place = path, place


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word or phrase that speaks for an intent, as the stems it is found by."""

    stems: tuple[str, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class CatalogueIntent:
    """One entry of the catalogue."""

    name: str
    description: str
    keywords: tuple[Keyword, ...]


def read_catalogue(path: Path, stems: Stems) -> tuple[CatalogueIntent, ...]:
    """The intents of a catalogue, in the file's order. Raises `IntentCatalogueError`."""
    return _Reader(path, stems).intents(_parsed(path))


def _parsed(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8-sig"), object_pairs_hook=lambda pairs: _without_doubles(path, pairs))
    except OSError as error:
        raise IntentCatalogueError(path, "file", f"cannot be read ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise IntentCatalogueError(path, f"byte {error.start}", "is not UTF-8; save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        raise IntentCatalogueError(path, place, f"is not JSON ({error.msg}); correct it there") from error
    except IntentCatalogueError:
        raise
    except (ValueError, RecursionError) as error:  # A number of thousands of digits; brackets thousands deep.
        raise IntentCatalogueError(path, "file", f"is not JSON that can be read ({error}); correct it") from error


def _without_doubles(path: Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            place = f"an object with the keys {', '.join(key for key, _ in pairs)}"
            raise IntentCatalogueError(path, place, f"has {key!r} twice; keep one of them")
        found[key] = value
    return found


class _Reader:
    def __init__(self, path: Path, stems: Stems) -> None:
        self._path, self._stems = path, stems

    def intents(self, parsed: Any) -> tuple[CatalogueIntent, ...]:
        if not isinstance(parsed, list) or not parsed:
            raise self._error("top level", "must be a list of at least one intent")
        intents = tuple(self._intent(f"intents[{index}]", entry) for index, entry in enumerate(parsed))
        first_index: dict[str, int] = {}
        for index, intent in enumerate(intents):
            # Not only equal ones: names that differ in case alone would be mistaken for each other by every reader.
            first = first_index.setdefault(intent.name.casefold(), index)
            if first != index:
                raise self._error(f"intents[{index}].name", f"{intent.name!r} is also intents[{first}]; rename one")
        return intents

    def _intent(self, place: str, entry: Any) -> CatalogueIntent:
        fields = self._fields(place, entry, required={"name", "description", "keywords"}, optional=set())
        name, description, keywords = fields["name"], fields["description"], fields["keywords"]
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            fault = f"{name!r} must start with a letter and hold at most 64 letters, digits, '_', '-' and '.'"
            raise self._error(f"{place}.name", fault)
        if not isinstance(description, str) or not description.strip():
            raise self._error(f"{place}.description", "must be a text; say in a sentence what the user wants")
        if not isinstance(keywords, list) or not keywords:
            raise self._error(f"{place}.keywords", "must be a list of at least one word or phrase")
        return CatalogueIntent(name, description, self._keywords(f"{place}.keywords", keywords))

    def _keywords(self, place: str, entries: list[Any]) -> tuple[Keyword, ...]:
        keywords = tuple(self._keyword(f"{place}[{index}]", entry) for index, entry in enumerate(entries))
        first_index: dict[tuple[str, ...], int] = {}
        for index, keyword in enumerate(keywords):
            first = first_index.setdefault(keyword.stems, index)
            if first != index:
                same = f"{_phrase(entries[index])!r} finds the same as {_phrase(entries[first])!r}"
                raise self._error(f"{place}[{index}]", f"{same} at [{first}]; remove one")
        return keywords

    def _keyword(self, place: str, entry: Any) -> Keyword:
        if isinstance(entry, str):
            return Keyword(self._phrase_stems(place, entry), weight=1.0)
        fields = self._fields(place, entry, required={"phrase"}, optional={"weight"})
        stems = self._phrase_stems(f"{place}.phrase", fields["phrase"])
        return Keyword(stems, self._weight(f"{place}.weight", fields.get("weight", 1.0)))

    def _phrase_stems(self, place: str, phrase: Any) -> tuple[str, ...]:
        if not isinstance(phrase, str):
            raise self._error(place, f"{phrase!r} must be a text: a word or a phrase")
        if not _LETTER.search(phrase):
            raise self._error(place, f"{phrase!r} has no letters; write a word, or remove it")
        stems = tuple(stem for stem in map(self._stems.of, split_words(phrase)[1::2]) if stem)
        if not stems:
            raise self._error(place, f"{phrase!r} has only words that are passed over; add one that tells something")
        if len(stems) > MAX_PHRASE_WORDS or NO_STEM in stems:
            raise self._error(
                place, f"{phrase!r} is too long; at most {MAX_PHRASE_WORDS} words of {LONGEST_WORD} letters"
            )
        return stems

    def _weight(self, place: str, weight: Any) -> float:
        # A bool is an int to Python. NaN and Infinity are numbers to its JSON parser, and fail the comparison.
        is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not is_number or not 0 < weight <= MAX_WEIGHT:
            raise self._error(place, f"{weight!r} must be a number above 0 and at most {MAX_WEIGHT:g}")
        return float(weight)

    def _fields(self, place: str, entry: Any, required: set[str], optional: set[str]) -> Mapping[str, Any]:
        wanted = ", ".join(sorted(required | optional))
        if not isinstance(entry, dict):
            raise self._error(place, f"must be an object with {wanted}")
        if unknown := sorted(entry.keys() - required - optional):
            raise self._error(place, f"has an unknown key {unknown[0]!r}; it may have {wanted}")
        if missing := sorted(required - entry.keys()):
            raise self._error(place, f"lacks {missing[0]!r}; add it")
        return entry

    def _error(self, place: str, fault: str) -> IntentCatalogueError:
        return IntentCatalogueError(self._path, place, fault)


def _phrase(entry: Any) -> Any:
    return entry if isinstance(entry, str) else entry["phrase"]
