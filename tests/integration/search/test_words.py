"""Words that are found, and their order. Both databases agree."""

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from shared.actions.chats.change import change_chat
from shared.actions.messages.idempotency import PostRequest
from shared.actions.messages.post import post_message
from shared.models import ChatSession, User
from tests.integration.search.conftest import Search

Found = Callable[[str], list[str]]
TEXT = "A gardener's Note: foo_bar, https://example.org/rosés?x=1 — “tulips” cost 12.50 in Åland (naïve)"
ALIKE = {
    "garden": "A [garden]er's",
    "gardener": "A [gardener]'s",
    "NOTE ": "[Note]",
    "note a": "[A] gardener's [Note]",
    "roses": "[rosés]",
    "rosés": "[rosés]",
    "example.org": "[example.org]",
    "tulips": "“[tulips]”",
    "bar": "foo_[bar]",
    "12.50": "[12.50]",
    "aland": "[Åland]",
    '"cost 12"': "[cost 12].50",
    '"tulips cost': "[tulips” cost]",
    "naive åland": "in [Åland] ([naïve])",
}
NOT_THERE = (
    "gard ",
    "ga",
    "arden",
    '"note gardener"',
    "tulips weeds",
    "NOT tulips",
    "tulips OR weeds",
    "1250",
    '"gard"',
)
UNSEARCHABLE = ("!", '"', "'", "()", "* *", ":*", "&|", "—", '" "', "\\", "😀", "%", "@")


def say(chat: ChatSession, text: str) -> str:
    """Store a message without a reply."""
    return post_message(chat.owner_id, PostRequest(chat.id, text, generate=False), None).message.id


@pytest.mark.usefixtures("me")
def test_words_are_found_without_regard_to_case_accents_and_marks(chat: ChatSession, found: Found) -> None:
    for form in ("NFC", "NFD"):
        say(chat, unicodedata.normalize(form, TEXT))
    for q, there in ALIKE.items():
        snippets = [unicodedata.normalize("NFC", snippet) for snippet in found(q)]
        assert len(snippets) == 2, q
        assert all(part in snippet for snippet in snippets for part in there.split(" … ")), (q, snippets)
    for q in NOT_THERE + UNSEARCHABLE:
        assert found(q) == [], q


WORLD = {
    "Cyrillic": ("ПРИВЕТ, мир", "привет", "[ПРИВЕТ], мир"),
    "Greek": ("Καλημέρα κόσμε", "ΚΑΛΗΜΈΡΑ", "[Καλημέρα] κόσμε"),
    "Chinese": ("我住在北京市。", "北京", "我住在[北京]市。"),
    "Japanese": ("日本語のテスト", "テスト", "日本語の[テスト]"),
    "both kinds": ("My iPhone 手机 broke", "iphone 手机", "My [iPhone] [手机] broke"),
    "capitals beside it": ("これは東京Towerです", '"東京tower"', "これは[東京Tower]です"),
    "a blank in a phrase": ("高い東京タワー", '"東京 タワー"', "高い[東京タワー]"),
    "marks between": ("東京「タワー」", "東京タワー", "[東京「タワー]」"),
    "accents apart": (unicodedata.normalize("NFD", "古いガラスの窓"), "ガラス", "古い[ガラス]の窓"),
    "Korean": ("안녕하세요 세계", "안녕하", "[안녕하]세요 세계"),
    "Hindi": ("नमस्ते दुनिया", "दुनिया", "नमस्ते [दुनिया]"),
    "Persian": ("در می\u200cرود", "می\u200cرود", "در [می\u200cرود]"),
    "Turkish": ("İstanbul'da", "istanbul", "[İstanbul]'da"),
}


@pytest.mark.parametrize("script", WORLD)
def test_every_script_is_found(script: str, chat: ChatSession, found: Found) -> None:
    text, q, marked = WORLD[script]
    say(chat, text)
    assert found(q) == [marked]


def test_titles_come_first_then_texts_that_say_it_often_in_few_words(
    user: User, chat: ChatSession, search: Search
) -> None:
    once, often, long = (say(chat, text) for text in ("A rose", "Rose, rose, rose", "A rose " + "in the garden " * 50))
    newest = say(chat, "A rose")
    change_chat(user.id, chat.id, "Roses of a rose")
    assert [item["messageId"] for item in search("rose")] == [None, often, newest, once, long]


def test_the_answer_says_what_was_found_and_where(chat: ChatSession, search: Search) -> None:
    message_id = say(chat, "First line.\n\nA <b>tulip</b>")
    (item,) = search("tulip")
    assert item.pop("createdAt").endswith("+00:00")
    parts = [("First line. A <b>", False), ("tulip", True), ("</b>", False)]
    snippet: list[Any] = [{"text": text, "match": match} for text, match in parts]
    assert item == {"chatSessionId": chat.id, "messageId": message_id, "title": chat.title, "snippet": snippet}


@pytest.mark.parametrize("before", [0, 55, 150, 990, 1_000, 90_000])
def test_a_snippet_is_short_and_has_the_word_wherever_it_stands(before: int, chat: ChatSession, found: Found) -> None:
    say(chat, "word " * (before // 5) + "needle" + " word" * 1_500)
    (snippet,) = found("needle")
    assert "[needle]" in snippet
    assert 100 < len(snippet) <= 202


@pytest.mark.parametrize("q", ["", " ", "\u200b", None, "x" * 201])
def test_a_search_for_nothing_or_too_much_is_refused(q: str | None, me: FlaskClient) -> None:
    answer = me.get("/search", query_string={} if q is None else {"q": q})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["q"])


@pytest.mark.usefixtures("me")
def test_a_text_that_normalising_makes_three_times_as_long_is_stored_and_found(chat: ChatSession, found: Found) -> None:
    # with the locale C, PostgreSQL takes these signs for letters, and each word is its own lexeme
    say(chat, "needle " + " ".join("\U0001d160" * 165 + f"{n:04}" for n in range(585)))
    assert found("needle")[0].startswith("[needle]")


LONG = {"words": "a b c d e f g h i j " * 10, "unspaced": "日" * 200, "quotes": '"' * 200, "phrases": '" a' * 66}


@pytest.mark.parametrize("kind", LONG)
def test_a_search_of_many_words_is_answered(kind: str, chat: ChatSession, found: Found) -> None:
    say(chat, " ".join("abcdefghij" * 10))
    assert len(found(LONG[kind])) == (kind in {"words", "phrases"})
