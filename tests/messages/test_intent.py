"""Detecting what a message is about: both spellings, every inflection, and never a guess."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.messages.intent import MAX_CHARACTERS, MIN_LEAD, MIN_SCORE, IntentDetector, confidence
from app.messages.intent_catalogue import IntentCatalogueError
from app.messages.stems import LONGEST_WORD, Stems
from app.messages.values import Intent

DETECTOR = IntentDetector.from_catalogue()
STEMS = Stems()

SPELLINGS = """
    summarise summarize | summarising summarizing | summarisation summarization | analyse analyze
    analysed analyzed | analysing analyzing | organisation organization | organised organized
    prioritise prioritize | visualise visualize | authorisation authorization | apologise apologize | colour color
    colours colors | favourite favorite | behaviour behavior | behavioural behavioral | honoured honored
    neighbouring neighboring | odour odor | labour labor | cancelled canceled | cancelling canceling
    cancellation cancelation | travelling traveling | traveller traveler | labelled labeled | modelling modeling
    signalled signaled | fuelled fueled | dialling dialing | counsellor counselor | enrol enroll
    enrolment enrollment | fulfil fulfill | instalment installment | skilful skillful | centre center
    centres centers | centred centered | theatre theater | litres liters | fibre fiber | catalogue catalog
    catalogues catalogs | catalogued cataloged | cataloguing cataloging | dialogue dialog | programme program
    programmes programs | licence license | licences licenses | defence defense | offences offenses
    practise practice | practised practiced | enquiry inquiry | grey gray | judgement judgment | ageing aging
    learnt learned | maths math | focussed focused | jewellery jewelry | manoeuvre maneuver | sceptical skeptical
    don't dont
"""


def groups(table: str) -> list[list[str]]:
    return [pair for line in table.strip().splitlines() for cell in line.split("|") if (pair := cell.split())]


@pytest.mark.parametrize(("british", "american"), groups(SPELLINGS))
def test_british_and_american_spellings_are_one_word(british: str, american: str) -> None:
    assert STEMS.of(british) == STEMS.of(american)
    assert STEMS.of(british.upper()) == STEMS.of(american)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("prize", "price"), ("advise", "advice"), ("four", "for"), ("our", "or"), ("hour", "or"), ("your", "or"),
        ("hour", "hor"), ("size", "side"), ("flour", "floor"), ("fill", "file"), ("bill", "bile"), ("role", "roll"),
        ("rogue", "log"), ("we're", "were"), ("I'd", "id"), ("she'll", "shell"), ("organ", "organization"),
        ("genre", "gender"), ("cheque", "check"), ("tyre", "tire"), ("difference", "defence"),
    ],
)  # fmt: skip
def test_false_friends_stay_apart(one: str, other: str) -> None:
    assert STEMS.of(one) != STEMS.of(other)


@pytest.mark.parametrize(
    "forms",
    [
        "size sizes", "exercise exercises exercised exercising", "advise advises advised advising", "prize prizes",
        "call calls called calling", "bill bills billed billing", "spell spelling spelled", "quell quelled quelling",
        "control controlled controlling", "encourage encouraged encouraging", "resource resources",
        "promise promises promised", "raise raises raised raising", "cancel CANCEL Cancels cancelled cancellation",
    ],
)  # fmt: skip
def test_forms_of_a_word_stay_together(forms: str) -> None:
    assert len({STEMS.of(form) for form in forms.split()}) == 1


@pytest.mark.parametrize(
    "word",
    [
        "cancel",
        "CANCEL",
        "\N{FULLWIDTH LATIN SMALL LETTER C}ancel",
        "cancel's",
        "cancel\N{RIGHT SINGLE QUOTATION MARK}s",
    ],
)
def test_case_width_and_apostrophes_do_not_matter(word: str) -> None:
    assert STEMS.of(word) == "cancel"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("Summarise this report in three bullet points.", "SUMMARY"),
        ("Can you summarize the attached document for me?", "SUMMARY"),
        ("TL;DR of the meeting notes please", "SUMMARY"),
        ("Translate this apology for a cancelled booking into German.", "TRANSLATION"),
        ("How do you say good evening in Japanese?", "TRANSLATION"),
        ("Draft a polite email to my landlord about the heating.", "WRITING"),
        ("Please proofread my cover letter and make it more concise.", "EDITING"),
        ("Write a Python function that merges two sorted lists.", "CODING"),
        ("I get a stack trace when I call the endpoint, what's wrong?", "TROUBLESHOOTING"),
        ("The export button doesn\N{RIGHT SINGLE QUOTATION MARK}t work since yesterday", "TROUBLESHOOTING"),
        ("the export button doesnt work", "TROUBLESHOOTING"),
        ("What are the differences between TCP and UDP?", "COMPARISON"),
        ("Which laptop would you recommend for a student?", "RECOMMENDATION"),
        ("Turn these requirements into user stories with acceptance criteria.", "PLANNING"),
        ("Analyse the churn metrics of the last quarter", "ANALYSIS"),
        ("Please analyze the survey results and visualize the trend.", "ANALYSIS"),
        ("What is 15 percent of 240?", "CALCULATION"),
        ("Where can I find the brand guidelines?", "SEARCH"),
        ("I'd like to book a table for two people on Friday", "BOOKING"),
        ("Schedule a meeting with Dana next Tuesday.", "BOOKING"),
        ("I canceled it yesterday but it still shows.", "CANCELLATION"),
        ("How do I cancel my subscription?", "CANCELLATION"),
        ("I need to reschedule my appointment to Thursday", "CHANGE"),
        ("I want my money back, the shoes were damaged.", "REFUND"),
        ("Which credit card can I pay with?", "PAYMENT"),
        ("Where is my package? The tracking number shows nothing.", "ORDER_STATUS"),
        ("I forgot my password and cannot log in.", "ACCOUNT"),
        ("Let me talk to a real person.", "HANDOVER"),
        ("This is unacceptable, I'm really disappointed with your service!", "COMPLAINT"),
        ("Hello!", "GREETING"),
        ("Thank you, that's all I needed", "THANKS"),
        ("Yes, go ahead", "CONFIRMATION"),
        ("No thanks", "REFUSAL"),
        ("How do I bake sourdough bread?", "HOW_TO"),
        ("Why is the sky blue?", "EXPLANATION"),
        ("What\N{RIGHT SINGLE QUOTATION MARK}s photosynthesis?", "EXPLANATION"),
    ],
)
def test_a_request_is_recognised(content: str, name: str) -> None:
    intent = DETECTOR.detect(content)

    assert intent is not None
    assert intent.name == name


@pytest.mark.parametrize(
    "content",
    [
        "",
        "   \n\t ",
        "???",
        "42",
        "\0\x01",
        "\ud800",
        "😀👍",
        "asdf qwer zxcv",
        "Lamp, gravel, umbrella and seventeen herons.",
        "Der Himmel ist heute grau und die Katze schläft.",
        "Il fait beau et le chat dort sur le canapé.",
        "El perro come en la cocina todos los días.",
        "今日はとても暑いです。",
        "Сегодня хорошая погода",
    ],
)
def test_what_says_nothing_is_unknown(content: str) -> None:
    assert DETECTOR.detect(content) is None


def test_keywords_come_in_order_as_written_and_once() -> None:
    intent = DETECTOR.detect("CANCELLED? Money  back!\nThe Refund, my refunds, was cancelled; I was double-charged.")

    assert intent is not None
    assert intent.name == "REFUND"
    assert intent.keywords == ("money back", "refund", "double-charged")


def catalogue(tmp_path: Path, intents: Any) -> Path:
    path = tmp_path / "intents.json"
    path.write_text(intents if isinstance(intents, str) else json.dumps(intents), "utf-8")
    return path


def entry(name: str, *keywords: Any) -> dict[str, Any]:
    return {"name": name, "description": "d", "keywords": list(keywords)}


def test_a_catalogue_of_ones_own_replaces_the_built_in_one(tmp_path: Path) -> None:
    path = catalogue(tmp_path, [entry("FRUIT", "apple", {"phrase": "prickly pear", "weight": 2})])

    detector = IntentDetector.from_catalogue(path)

    assert detector.detect("Apples and a Prickly-Pear") == Intent("FRUIT", 0.805, ("apples", "prickly-pear"))
    assert detector.detect("please cancel") is None


def test_equal_scores_are_a_tie(tmp_path: Path) -> None:
    path = catalogue(
        tmp_path, [entry("A", {"phrase": "apple", "weight": 0.9}), entry("B", {"phrase": "pear", "weight": 0.9})]
    )
    detector = IntentDetector.from_catalogue(path)

    assert detector.detect("apple") is not None
    assert detector.detect("apple pear") is None
    assert detector.detect("pear apple") is None


def test_the_least_lead_is_enough_and_less_is_a_tie(tmp_path: Path) -> None:
    weighed = [("a", 0.6), ("b", 0.5), ("c", 0.51)]
    path = catalogue(tmp_path, [entry(n, {"phrase": f"{n}word", "weight": w}) for n, w in weighed])
    detector = IntentDetector.from_catalogue(path)

    assert detector.detect("aword bword") == Intent("a", confidence(0.6, MIN_LEAD), ("aword",))
    assert detector.detect("aword cword") is None


def test_weak_keywords_need_company(tmp_path: Path) -> None:
    weak = [{"phrase": word, "weight": 0.3} for word in ("apple", "pear")]
    detector = IntentDetector.from_catalogue(catalogue(tmp_path, [entry("A", *weak)]))

    assert 0.3 < MIN_SCORE < 0.6
    assert detector.detect("apple apple apples") is None
    assert detector.detect("apple and pear") is not None


def test_the_first_strong_keyword_counts_more(tmp_path: Path) -> None:
    intents = [entry("A", "apple"), entry("B", "pear"), entry("HI", {"phrase": "hi", "weight": 0.5})]
    detector = IntentDetector.from_catalogue(catalogue(tmp_path, intents))

    for content, name in (("apple pear", "A"), ("hi, pear apple", "B"), ("hi", "HI")):
        intent = detector.detect(content)
        assert intent is not None
        assert intent.name == name


def test_the_longest_phrase_uses_its_words_up(tmp_path: Path) -> None:
    intents = [entry("SHORT", "change", "change my password now please"), entry("LONG", "change password")]
    detector = IntentDetector.from_catalogue(catalogue(tmp_path, intents))

    intent = detector.detect("Change your password now")

    assert intent == Intent("LONG", confidence(1.25, 1.25), ("change your password",))


@pytest.mark.parametrize(
    ("content", "is_found"),
    [
        ("set up", True),
        ("Set-up", True),
        ("set_up", True),
        ("set\r\nup", True),
        ("set, up", True),
        ("set all up", False),
        ("set the my up", True),
        ("set the my a up", False),
        ("all set. Up we go", False),
        ("set\n\n\n\nup", False),
        ("up set", False),
        ("set", False),
    ],
)
def test_a_phrase_is_its_words_in_sequence_within_a_sentence(tmp_path: Path, content: str, is_found: bool) -> None:
    detector = IntentDetector.from_catalogue(catalogue(tmp_path, [entry("A", "set up")]))

    assert (detector.detect(content) is not None) is is_found


def test_a_keyword_may_serve_two_intents(tmp_path: Path) -> None:
    intents = [entry("A", "apple", "pear"), entry("B", {"phrase": "apple", "weight": 2})]
    detector = IntentDetector.from_catalogue(catalogue(tmp_path, intents))

    assert detector.detect("pear") == Intent("A", 0.595, ("pear",))
    assert detector.detect("apples") == Intent("B", confidence(2.5, 1.25), ("apples",))


def test_only_the_beginning_is_looked_at() -> None:
    padding = "x " * (MAX_CHARACTERS // 2)

    assert DETECTOR.detect(padding + "cancel") is None
    assert DETECTOR.detect("cancel " + padding) == DETECTOR.detect("cancel")
    # A word that the end of that part goes through is not taken for its first half.
    assert DETECTOR.detect(padding[:-6] + "cancellation") is None
    assert DETECTOR.detect(padding[:-6] + "cancel") is not None


def test_a_word_too_long_to_be_one_is_not_looked_up() -> None:
    assert DETECTOR.detect("cancel" + "\N{COMBINING ACUTE ACCENT}" * LONGEST_WORD) is None


GOOD = entry("A", "apple")


@pytest.mark.parametrize(
    ("intents", "fault"),
    [
        ("[{", "line 1 column 3: is not JSON"),
        ({}, "top level: must be a list"),
        ([], "top level: must be a list of at least one intent"),
        (["A"], r"intents\[0\]: must be an object with description, keywords, name"),
        ([GOOD | {"colour": 1}], r"intents\[0\]: has an unknown key 'colour'; it may have description, keywords, name"),
        ([{"name": "A", "keywords": ["b"]}], r"intents\[0\]: lacks 'description'; add it"),
        ([GOOD | {"name": ""}], r"intents\[0\].name: '' must start with a letter"),
        ([GOOD | {"name": "a b"}], r"intents\[0\].name: 'a b' must start with a letter"),
        ([GOOD | {"name": "a" * 65}], r"intents\[0\].name: .* at most 64"),
        ([GOOD | {"name": 7}], r"intents\[0\].name: 7 must start with a letter"),
        ([GOOD, entry("a", "pear")], r"intents\[1\].name: 'a' is also intents\[0\]; rename one"),
        ([GOOD | {"description": " "}], r"intents\[0\].description: must be a text"),
        ([GOOD | {"keywords": []}], r"intents\[0\].keywords: must be a list of at least one"),
        ([GOOD | {"keywords": "apple"}], r"intents\[0\].keywords: must be a list"),
        ([GOOD, entry("B", "pear", 7)], r"intents\[1\].keywords\[1\]: must be an object with phrase, weight"),
        ([entry("A", {"weight": 1})], r"keywords\[0\]: lacks 'phrase'; add it"),
        ([entry("A", {"phrase": "a", "wait": 1})], r"keywords\[0\]: has an unknown key 'wait'"),
        ([entry("A", {"phrase": 1})], r"keywords\[0\].phrase: 1 must be a text"),
        ([entry("A", "apple", "")], r"keywords\[1\]: '' has no letters; write a word"),
        ([entry("A", "404")], r"keywords\[0\]: '404' has no letters"),
        ([entry("A", "of", "the")], r"keywords\[1\]: 'the' has only words that are passed over"),
        ([entry("A", "b c d e f g h i j")], r"keywords\[0\]: .* is too long; at most 8 words"),
        ([entry("A", "b" * 41)], r"keywords\[0\]: .* is too long; at most 8 words of 40 letters"),
        (
            [entry("A", "book", "pear", "my Bookings")],
            r"keywords\[2\]: 'my Bookings' finds the same as 'book' at \[0\]",
        ),
        ([entry("A", "colour", {"phrase": "color"})], r"keywords\[1\]: 'color' finds the same as 'colour' at \[0\]"),
        *(
            ([entry("A", {"phrase": "apple", "weight": weight})], r"keywords\[0\].weight: .* above 0 and at most 10")
            for weight in (0, -1, 10.5, True, "1", None, float("nan"), float("inf"), 10**400)
        ),
        ("1" * 5_000, "file: is not JSON that can be read"),
        ("[" * 100_000, "file: is not JSON that can be read"),
        ('[{"name": "A", "name": "B"}]', "with the keys name, name: has 'name' twice; keep one"),
    ],
)
def test_a_bad_catalogue_is_refused_with_its_place_and_what_to_do(tmp_path: Path, intents: Any, fault: str) -> None:
    path = catalogue(tmp_path, intents)

    with pytest.raises(IntentCatalogueError, match=fault) as refusal:
        IntentDetector.from_catalogue(path)

    assert str(path) in str(refusal.value)


def test_a_catalogue_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IntentCatalogueError, match=r"cannot be read .*; check the path"):
        IntentDetector.from_catalogue(tmp_path / "none.json")

    path = tmp_path / "latin.json"
    path.write_bytes(b'["\xe9"]')
    with pytest.raises(IntentCatalogueError, match="byte 2: is not UTF-8"):
        IntentDetector.from_catalogue(path)


ANY_TEXT = st.text(st.characters())  # Lone surrogates among them.
WORDS = st.sampled_from(
    [
        "cancel",
        "Refund",
        "my",
        "the",
        "book",
        "a",
        "flight",
        "thank",
        "you",
        "no",
        "longer",
        "need",
        "İ",
        "ﬁx",
        "what's",
    ]
)
SENTENCES = st.lists(st.one_of(WORDS, ANY_TEXT), max_size=30).map(" ".join)


@given(SENTENCES)
def test_any_text_has_one_answer(content: str) -> None:
    intent = DETECTOR.detect(content)

    assert intent == DETECTOR.detect(content)
    if intent is not None:
        assert 0 < intent.confidence <= 1
        assert intent.confidence == round(intent.confidence, 3)


@given(SENTENCES)
def test_keywords_occur_in_the_text_in_order(content: str) -> None:
    intent = DETECTOR.detect(content)

    if intent is not None:
        assert intent.keywords
        assert len(set(intent.keywords)) == len(intent.keywords)
        text, position = " ".join(content.lower().split()), 0
        for keyword in intent.keywords:
            position = text.index(keyword, position) + 1


@given(
    st.lists(st.sampled_from(groups(SPELLINGS)), min_size=1, max_size=12), st.sampled_from([" ", ", ", "\n", " my "])
)
def test_the_spelling_does_not_change_the_answer(pairs: list[list[str]], between: str) -> None:
    british = DETECTOR.detect(between.join(pair[0] for pair in pairs))
    american = DETECTOR.detect(between.join(pair[1] for pair in pairs))

    assert (british and (british.name, british.confidence)) == (american and (american.name, american.confidence))


@given(*[st.floats(0.1, 1_000)] * 4)
def test_confidence_grows_with_score_and_lead(score: float, lead: float, more_score: float, more_lead: float) -> None:
    assert 0 < confidence(score, lead) <= 1
    assert confidence(score, lead) <= confidence(score + more_score, lead) <= 1
    assert confidence(score, lead) <= confidence(score, lead + more_lead) <= 1
