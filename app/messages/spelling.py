"""One spelling for words that British and American English write differently.

The result is a key to compare by and is never shown, so it need not be a word: "size" may become "sise", as long as
every form of it does and no other word becomes the same. Rules are therefore chosen to hold for whole families of
words, with their false friends, and a word is listed where no rule reaches it without joining two others.
"""

import re
import unicodedata

_LISTED = {
    "acknowledgement": "acknowledgment",
    "acknowledgements": "acknowledgments",
    "aeroplane": "airplane",
    "aeroplanes": "airplanes",
    "ageing": "aging",
    "aluminium": "aluminum",
    "artefact": "artifact",
    "artefacts": "artifacts",
    "centring": "centering",
    "cosy": "cozy",
    "disc": "disk",
    "discs": "disks",
    "focussed": "focused",
    "focusses": "focuses",
    "focussing": "focusing",
    "grey": "gray",
    "greys": "grays",
    "gramme": "gram",
    "grammes": "grams",
    "jewellery": "jewelry",
    "judgement": "judgment",
    "judgements": "judgments",
    "kilogramme": "kilogram",
    "kilogrammes": "kilograms",
    "learnt": "learned",
    "maths": "math",
    "mould": "mold",
    "moulds": "molds",
    "moustache": "mustache",
    "mum": "mom",
    "orientated": "oriented",
    "plough": "plow",
    "programme": "program",
    "programmes": "programs",
    "pyjamas": "pajamas",
    "speciality": "specialty",
    "specialities": "specialties",
    "skilful": "skillful",
    "spelt": "spelled",
    "whilst": "while",
    "wilful": "willful",
}
"""Left out because the American word is another word too: cheque and check, tyre and tire, kerb and curb, storey and
story, draught and draft. Their keywords are better listed twice."""

_CONTRACTIONS = {"how's": "howis", "what's": "whatis", "whats": "whatis", "where's": "whereis", "who's": "whois"}
"""Stemming takes an 's off, which is right for "user's", but "what" alone says nothing."""

_BEGINNINGS = {
    "anaesth": "anesth",
    "defenc": "defens",
    "encyclopaed": "encycloped",
    "enquir": "inquir",
    "licenc": "licens",
    "maneuver": "maneuvr",
    "manoeuvr": "maneuvr",
    "offenc": "offens",
    "paed": "ped",
    "practis": "practic",
    "pretenc": "pretens",
    "sceptic": "skeptic",
    "sulph": "sulf",
}
"""No rule for -ence: it would part "difference" from "different", and "sentence" is spelt so everywhere."""

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # organize, organization, analyze. Every z after i or y and not that of -ize alone, so that "size", "prize" and
    # "horizon" change in all their forms alike, as "exercise" and "advise" keep theirs. To s and not to z: Snowball
    # knows -ization but not -isation, and would stem the two differently. Words that meet: prize and prise.
    (re.compile(r"(?<=[iy])z(?!z)"), "s"),
    # colour, favourite, behavioural. Only after a vowel, so that "our", "four", "hour", "your", "tour" and "course" do
    # not become "or", "for" and the like. "resource" and "encourage" change in all their forms alike.
    (re.compile(r"^([a-z]*[aeiou][a-z]*)our"), r"\1or"),
    # dialled, fuelled. Snowball makes one l of most doubles (travelling, cancelled), but not after two vowels.
    # "quelled" stays, with "quell".
    (re.compile(r"(?<=[^q][iu][ae])ll(?=(?:ed|ing|ers?)$)"), "l"),
    # counsellor, councillor.
    (re.compile(r"llor(?=s?$)"), "lor"),
    # centre, theatres, litre, fibre; then centred.
    (re.compile(r"(?<=[a-z]{2})([tb])re(?=s?$)"), r"\1er"),
    (re.compile(r"(?<=[a-z]{2})tred$"), "tered"),
    # catalogue, dialogues, catalogued, cataloguing. "vogue" and "rogue" have no l.
    (re.compile(r"logu(?:e(?=s?$)|(?=(?:ed|ing|ers?)$))"), "log"),
    # "don't" and "dont", "can't" and "cant". Not "I'd" or "we're", which would become "id" and "were".
    (re.compile(r"n't$"), "nt"),
)

_APOSTROPHES = str.maketrans({"\N{RIGHT SINGLE QUOTATION MARK}": "'", "\N{MODIFIER LETTER APOSTROPHE}": "'"})


def one_spelling(word: str) -> str:
    """`word` in one spelling, without regard to case, width of letters and kind of apostrophe.

    "Colour" and "color", "CANCELED" and "canceled", "don't" and "dont" give the same. Doubled letters that a stemmer
    takes care of ("cancelled") are left to it.
    """
    if not word.isascii():
        word = unicodedata.normalize("NFKC", word).translate(_APOSTROPHES)
    word = word.casefold()
    if listed := _LISTED.get(word) or _CONTRACTIONS.get(word):
        return listed
    for beginning, american in _BEGINNINGS.items():
        if word.startswith(beginning):
            word = american + word[len(beginning) :]
            break
    for pattern, replacement in _RULES:
        word = pattern.sub(replacement, word)
    return word
