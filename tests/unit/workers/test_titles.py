"""The title in the answer of a model, and the offline model's title."""

import pytest

from workers.providers import Prompt, Purpose
from workers.providers.scripted import ScriptedProvider
from workers.title import as_title

ANSWERS = {
    "Baking bread": "Baking bread",
    '"Baking bread"': "Baking bread",
    "\n\n  # Baking   bread\n\nSure, here it is": "Baking bread",
    "**Title: “Baking bread”**": "Baking bread",
    "<think>The user bakes.\nBread.</think>\nBaking bread": "Baking bread",
    "C# and F#": "C# and F#",
    "Cafe\u0301": "Café",
    "\U0001f469\u200d\U0001f467 at home": "\U0001f469\u200d\U0001f467 at home",
    "\u202eBread": "Bread",
    **dict.fromkeys(["", " \n ", "\u200b\n\u3164", "<think>no end", '""', "**"]),
}


@pytest.mark.parametrize("answer", ANSWERS, ids=ascii)
def test_a_title_is_the_first_visible_line_without_marks(answer: str) -> None:
    assert as_title(answer) == ANSWERS[answer]


def test_a_long_title_is_cut_at_a_word_if_it_has_any() -> None:
    assert as_title("word " * 100) == "word " * 14 + "word…"
    assert as_title("漢" * 100) == "漢" * 79 + "…"


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("What is a placeholder?", "What is a placeholder?"),
        ("/slow Tell me\nhow to bake a very dark bread", "Tell me how to bake a…"),
        ("/fail", None),
    ],
)
def test_the_offline_model_takes_the_first_words(question: str, title: str | None) -> None:
    prompt = Prompt("scripted", [{"role": "user", "content": question}], purpose=Purpose.TITLE)
    with ScriptedProvider(12).ask(prompt, lambda _: None, lambda: None) as stream:
        assert as_title("".join(stream)) == title
