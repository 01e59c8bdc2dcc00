"""Texts that are equal to a reader are found, ranked and marked alike, however they are stored and searched."""

import unicodedata

import pytest

from shared.models import ChatSession
from tests.integration.search.test_words import Found, say

# Each word in its composed form, and a form in which a keyboard or another program writes it.
WORDS = {
    "Korean": "한국어",
    "Russian": "мой",
    "Russian, stressed": "за\u0301мок",
    "Greek": "βήμα",
    "Greek of old": "τ\u1f71δε",
    "Greek, iota below": "τῷ",
    "Vietnamese": "Việt",
    "Yoruba": "ẹ\u0301kọ\u0301",
    "Japanese": "ガラス",
    "Chinese": "\uf900",
    "Hindi": "\u0958लम",
    "Bengali": "ন\u09df",
    "Arabic": "آب",
    "Arabic with vowels": "مُحَم\u0651\u064eد",
    "Hebrew": "ש\u05c1\u05b8לום",
    "Hebrew, composed": "\ufb2aלום",
    "Tibetan": "\u0f43",
    "Tamil": "கொ",
}


def forms(word: str) -> list[str]:
    """The word as it is above, and both forms that Unicode knows, without repetition."""
    return list(dict.fromkeys((word, *(unicodedata.normalize(form, word) for form in ("NFC", "NFD")))))


@pytest.mark.usefixtures("me")
def test_a_word_is_found_in_each_form_by_each_form(chat: ChatSession, found: Found) -> None:
    for language, word in WORDS.items():
        for form in forms(word):
            say(chat, f"1 {form} 2")
        composed, count = unicodedata.normalize("NFC", word), len(forms(word))
        for form in forms(word):
            for q in (form, f"{form} ", f'"{form}"'):
                assert found(q) == [f"1 [{composed}] 2"] * count, (language, ascii(q))
            assert found(f'"1 {form} 2"') == [f"[1 {composed} 2]"] * count, (language, ascii(form))


# Words that differ in the case of their letters only.
CASES = (
    "ΣΊΣΥΦΟΣ σίσυφος Σίσυφος σίσυφοσ",
    "ΟΔΟΣ οδος Οδος οδοσ",
    "ΌΣΟΣ όσος όσοσ",
    "5µm 5μm 5ΜM",
    "ſiſter sister SISTER",
    "straße STRAẞE Straße",
    "ϐάϑοϲ βάθοϲ ΒΆΘΟϹ",
    "ϕῶϱ φῶρ ΦῶΡ",
    "ϰατά κατά ΚΑΤΆ",
    "ϖϵρ περ ΠΕΡ",
    "ǅungla ǆungla ǄUNGLA",
    "İzmir izmir IZMIR",
    "ПРИВЕТ привет",
    "საქართველო ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ",
    "ՀԱՅ հայ",
    "ＦＵＬＬ ｆｕｌｌ",
    "Ⅷ ⅷ",
    "Ω\u2126Å\u212bK\u212a ωωååkk",
)


def test_the_case_of_letters_does_not_count(chat: ChatSession, found: Found) -> None:
    for words in map(str.split, CASES):
        for word in words:
            say(chat, f"1 {word}!")
        composed = [unicodedata.normalize("NFC", word) for word in reversed(words)]
        for q in words:
            assert found(q) == [f"1 [{word}]!" for word in composed], q
            assert found(f'"1 {q} "') == [f"[1 {word}]!" for word in composed], q


# Letters that are no other letters, although some programs take them for these.
UNEQUAL = (
    "straße strasse",
    "ﬁnal final",
    "ｗｉｄｅ wide",
    "Ⅷ VIII",
    "kıl kil",
    "øre ore",
    "m² m2",
    "きか きか\u3099",
    "かき か\u3099き",
)


def test_another_letter_is_another_letter(chat: ChatSession, found: Found) -> None:
    for words in map(str.split, UNEQUAL):
        for word in words:
            say(chat, word)
        for word in words:
            assert found(f"{word} ") == [f"[{unicodedata.normalize('NFC', word)}]"]


def test_an_accent_without_a_letter_of_its_own_does_not_count(chat: ChatSession, found: Found) -> None:
    say(chat, "Ẹ\u0301kọ\u0301 – за\u0301мок")
    for q in ("eko", "ẹ\u0301kọ\u0301", "EKO "):
        assert found(q) == ["[Ẹ\u0301kọ\u0301] – за\u0301мок"], q
    for q in ("замо", "за\u0301мо"):
        assert found(q) == ["Ẹ\u0301kọ\u0301 – [за\u0301мо]к"], q


def test_an_unfinished_word_is_the_beginning_of_a_composed_one(chat: ChatSession, found: Found) -> None:
    for form in forms("대한민국 ΟΔΟΣ Привет"):
        say(chat, form)
    assert found("대한민") == ["[대한민]국 ΟΔΟΣ Привет"] * 2
    assert found("대한민구") == []  # as in NFC, 국 is one letter
    assert found("οδο") == ["대한민국 [ΟΔΟ]Σ Привет"] * 2
    assert found("приве") == ["대한민국 ΟΔΟΣ [Приве]т"] * 2


# A text, what is searched, and what is marked.
MARKS = (
    ("great🤣", "great ", "[great]🤣"),
    ("🤖robot", "robot", "🤖[robot]"),
    ("❤\ufe0frose", "rose", "❤\ufe0f[rose]"),
    ("👍🏽fine 🧑\u200d🚀space", '"fine space"', "👍🏽[fine 🧑\u200d🚀space]"),
    ("love ❤\ufe0f you", '"love you"', "[love ❤\ufe0f you]"),
    ("🏴\U000e0067\U000e0062\U000e007fflag", "flag", "🏴\U000e0067\U000e0062\U000e007f[flag]"),
    ("1\ufe0f\u20e3first", '"1 first"', "[1\ufe0f\u20e3first]"),
    ("₽100", "100 ", "₽[100]"),
    ("नमस्ते। दुनिया॥", "नमस्ते दुनिया ", "[नमस्ते]। [दुनिया]॥"),
    ("مرحبا، كيف؟", "مرحبا كيف ", "[مرحبا]، [كيف]؟"),
    ("שלום־עולם", "שלום עולם ", "[שלום]־[עולם]"),
    ("ሰላም፡ዓለም።", "ዓለም ", "ሰላም፡[ዓለም]።"),
    ("葛\U000e0100飾区", "葛飾", "[葛\U000e0100飾]区"),
    ("日本語！テスト。", "語テスト", "日本[語！テスト]。"),
)


def test_a_mark_or_an_emoji_is_no_letter(chat: ChatSession, found: Found) -> None:
    for text, q, marked in MARKS:
        say(chat, text)
        assert found(q) == [marked], text
