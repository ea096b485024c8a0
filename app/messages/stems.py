"""Splits a text into words and gives the stems by which words are compared."""

import re
from functools import lru_cache

import Stemmer

from app.messages.spelling import one_spelling

PASSED_OVER = frozenset(
    ("a", "an", "the", "my", "your", "our", "his", "her", "its", "their", "this", "these", "those", "some", "any")
)
"""Words that do not interrupt a phrase: "cancel booking" is also found in "cancel my booking"."""

LONGEST_WORD = 40
"""Characters; longer runs of letters are no words of a catalogue and not worth a place in the memory of stems."""

REMEMBERED_STEMS = 8_192
"""Stemming takes 7 µs a word and remembering 0.2 µs; a person's messages use some thousand words over and over."""

NO_STEM = "\0"
"""Stands for a word that is too long; equals no stem."""

# Letters and digits of any script, with the marks and apostrophes inside them. An underscore parts words, as in
# cancel_booking. Each class excludes the next, so a match never goes back over the text.
_WORD = re.compile(r"([^\W_]+(?:['’＇\u0300-\u036f]+[^\W_]+)*[\u0300-\u036f]*)")


def split_words(text: str) -> list[str]:
    """`text` as gap, word, gap, word, ... gap: the words are at the odd places, and joined it is `text` again."""
    return _WORD.split(text)


class Stems:
    """The stem of a word by Snowball's English rules, the same for British and American spelling.

    It remembers stems and changes in nothing else. PyStemmer's objects are not safe for use by several threads at once:
    an instance belongs to one thread, here the event loop's, where any number of tasks may share it.
    """

    def __init__(self) -> None:
        # PyStemmer's own memory of stems (the 0) would come after the spelling rules; this one spares both.
        self._stemmer = Stemmer.Stemmer("english", 0)
        self.of = lru_cache(REMEMBERED_STEMS)(self._of)

    def _of(self, word: str) -> str:
        """The stem of one word; "" for a word that is passed over, `NO_STEM` for one that is too long."""
        if len(word) > LONGEST_WORD:
            return NO_STEM
        key = one_spelling(word)
        if key in PASSED_OVER:
            return ""
        stem: str = self._stemmer.stemWord(key)
        return stem or NO_STEM
