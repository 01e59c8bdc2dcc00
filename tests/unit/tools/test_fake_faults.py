"""The fake model fails as its script says. The real openai package notices each fault."""

import json

import openai
import pytest

from tests.eventually import eventually
from tests.fake_model import FakeModel
from tests.unit.tools.listening import heard, stream


@pytest.mark.parametrize(
    ("name", "error", "code"),
    [
        ("fake:status=429,retry_after=2", openai.RateLimitError, "rate_limit_exceeded"),
        ("fake:status=500", openai.InternalServerError, "server_error"),
        ("fake:status=503", openai.InternalServerError, "server_error"),
        ("fake:status=401", openai.AuthenticationError, "invalid_api_key"),
        ("fake:status=402", openai.APIStatusError, "insufficient_quota"),
        ("fake:status=409", openai.ConflictError, "server_error"),
        ("fake:status=400", openai.BadRequestError, "invalid_request_error"),
        ("fake:context_length", openai.BadRequestError, "context_length_exceeded"),
        ("fake:no_such_option=1", openai.BadRequestError, "unknown_script"),
        ("fake:chunks=many", openai.BadRequestError, "unknown_script"),
    ],
)
def test_it_refuses_as_scripted(client: openai.OpenAI, name: str, error: type[Exception], code: str) -> None:
    with pytest.raises(error) as refused:
        stream(client, name)
    assert refused.value.code == code  # type: ignore[attr-defined]


def test_a_refusal_says_when_to_come_back(client: openai.OpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as refused:
        stream(client, "fake:status=429,retry_after=2")
    assert refused.value.response.headers["retry-after"] == "2"


@pytest.mark.parametrize("name", ["fake:refuse", "fake:reset_after=0"])
def test_a_broken_connection_is_an_error(client: openai.OpenAI, model: FakeModel, name: str) -> None:
    with pytest.raises((openai.APIConnectionError, openai.APIError)):
        heard(stream(client, name))
    assert eventually(lambda: model.requests[-1].ending) == "cut"


def test_a_reset_comes_after_the_text_before_it(client: openai.OpenAI) -> None:
    chunks = stream(client, "fake:reset_after=2,every=20")
    assert [next(chunks).choices[0].delta.content for _ in range(3)] == ["", "You", " said:"]
    with pytest.raises(openai.APIConnectionError):
        next(chunks)


def test_a_cut_stream_just_ends_without_a_finish_reason(client: openai.OpenAI) -> None:
    assert heard(stream(client, "fake:cut_after=2")) == ("You said:", None)


def test_a_hanging_model_runs_into_the_clients_time_out(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APITimeoutError):
        stream(client, "fake:hang", timeout=0.2)


def test_keep_alives_are_not_text(client: openai.OpenAI, model: FakeModel) -> None:
    with client.chat.completions.with_streaming_response.create(
        model="fake:keepalive_only", messages=[{"role": "user", "content": "Hi"}], stream=True
    ) as response:
        assert next(response.iter_bytes()).startswith(b": keep-alive\n\n")
    assert model.requests[-1].sent == 0


def test_a_page_of_html_is_no_answer(client: openai.OpenAI) -> None:
    assert heard(stream(client, "fake:html")) == ("", None)


def test_bad_json_comes_after_good_text(client: openai.OpenAI) -> None:
    chunks = stream(client, "fake:bad_json_after=1")
    with pytest.raises(json.JSONDecodeError):
        heard(chunks)


def test_an_error_comes_in_band(client: openai.OpenAI) -> None:
    with pytest.raises(openai.APIError, match="Scripted"):
        heard(stream(client, "fake:error_after=1"))


@pytest.mark.parametrize(
    ("name", "text", "finish"),
    [
        ("fake:empty", "", "stop"),
        ("fake:blank", " \n\u200b\u3164 ", "stop"),
        ("fake:no_choices", "", None),
        ("fake:chunks=2,finish=length", "word0 word1 ", "length"),
        ("fake:chunks=1,finish=content_filter", "word0 ", "content_filter"),
        ("fake:finish=tool_calls", "", "tool_calls"),
        ("fake:nul", "before\x00af\x00ter", "stop"),
        ("fake:surrogate", "lone \ud800 pair \ud83d\ude00 end", "stop"),
        ("fake:split_utf8", "Grüße 😀 naïve café", "stop"),
    ],
)
def test_odd_answers_arrive_as_they_are(client: openai.OpenAI, name: str, text: str, finish: str) -> None:
    assert heard(stream(client, name)) == (text, finish)


def test_a_character_is_split_between_two_arrivals(client: openai.OpenAI) -> None:
    with client.chat.completions.with_streaming_response.create(
        model="fake:split_utf8", messages=[{"role": "user", "content": "Hi"}], stream=True
    ) as response:
        parts = list(response.iter_bytes())
    with pytest.raises(UnicodeDecodeError):
        [part.decode() for part in parts]
    assert "Grüße" in b"".join(parts).decode()


def test_a_fault_passes_after_the_times_it_was_asked_for(client: openai.OpenAI) -> None:
    for _ in range(2):
        with pytest.raises(openai.InternalServerError):
            stream(client, "fake:status=503,times=2,chunks=1", "try again")
    assert heard(stream(client, "fake:status=503,times=2,chunks=1", "try again")) == ("word0 ", "stop")
    with pytest.raises(openai.InternalServerError):
        stream(client, "fake:status=503,times=2,chunks=1", "another question")
