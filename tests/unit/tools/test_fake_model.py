"""The real openai package reads the fake model's answers as it reads a real server's."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import openai
import pytest

from tests.eventually import Stopwatch, ended, eventually, patience
from tests.fair_clock import CLOCK
from tests.fake_model import FakeModel
from tests.fake_script import canned_answer
from tests.unit.tools.listening import heard, stream


def test_it_streams_an_answer_that_quotes_the_question(client: openai.OpenAI) -> None:
    assert heard(stream(client, "fake", "How are you?")) == (canned_answer("How are you?"), "stop")


def test_the_last_chunk_tells_the_usage(client: openai.OpenAI) -> None:
    *_, last = stream(client, "fake:chunks=7")
    assert last.choices == []
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (4, 7)


def test_it_answers_in_one_piece_without_streaming(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(model="fake", messages=[{"role": "user", "content": "Hi"}])
    assert done.choices[0].message.content == canned_answer("Hi")
    assert done.usage
    assert done.usage.completion_tokens == len(canned_answer("Hi").split())


def test_pieces_come_in_the_rhythm_that_was_asked_for(client: openai.OpenAI) -> None:
    asked, watch = time.monotonic(), Stopwatch()
    times = [(time.monotonic() - asked, watch.seconds) for _ in stream(client, "fake:chunks=5,every=40,first=200")]
    assert times[1][0] >= 0.2
    assert times[1][1] < 0.5
    assert times[5][0] - times[1][0] >= 0.15


def test_a_stamped_piece_is_the_time_it_left_at(client: openai.OpenAI) -> None:
    chunks = stream(client, "fake:chunks=3,stamp,every=200")
    arrived = [(time.time(), chunk.choices[0].delta.content) for chunk in chunks if chunk.usage is None]
    assert all(at - float(stamp) >= 0 for at, stamp in arrived[1:4])
    assert all(CLOCK.between(float(stamp), at) < 0.2 for at, stamp in arrived[1:4])


@pytest.mark.parametrize("name", ["fake:hang", "fake:hang_after=2", "fake:keepalive_only", "fake:endless"])
def test_it_notices_a_client_that_goes_away(model: FakeModel, name: str) -> None:
    # Given a client that has asked, and has received this script's whole answer
    body = json.dumps({"model": name, "stream": True, "messages": [{"role": "user", "content": name}]})
    with socket.create_connection(("127.0.0.1", model.port)) as connection:
        connection.sendall(f"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
        request = eventually(lambda: model.asked(name))[-1]
        if "after" in name or "endless" in name:
            eventually(lambda: request.sent >= 2)
        assert request.ending is None
        left_at = time.time()
    # When the client goes, then the log says so, with the time
    assert eventually(lambda: request.ending, within=2) == "client closed"
    assert request.closed_at
    assert CLOCK.between(left_at, request.closed_at) < 0.5


def test_a_question_can_bring_its_own_script(client: openai.OpenAI) -> None:
    assert heard(stream(client, "fake", "Please: fake:chunks=2")) == ("word0 word1 ", "stop")


def test_a_gate_holds_the_stream_after_its_first_piece(client: openai.OpenAI, model: FakeModel) -> None:
    chunks = stream(client, "fake:chunks=3,gate=first")
    request = eventually(lambda: [r for r in model.requests if r.model.endswith("gate=first") and r.sent])[0]
    with pytest.raises(AssertionError):
        eventually(lambda: request.sent > 1, within=0.2)
    model.open_gate("first")
    assert heard(chunks) == ("word0 word1 word2 ", "stop")
    assert eventually(lambda: request.ending) == "finished"


def test_the_log_tells_each_request_and_when_it_ended(client: openai.OpenAI, model: FakeModel) -> None:
    before = time.time()
    heard(stream(client, "fake", "Is this logged?"))
    request = model.asked("Is this logged?")[0]
    assert eventually(lambda: request.ending) == "finished"
    assert request.closed_at
    assert before <= request.opened_at <= request.closed_at <= time.time()
    assert request.messages[0] == {"role": "system", "content": "Be kind."}
    assert request.headers["authorization"] == "Bearer test"


def test_one_connection_carries_many_requests(model: FakeModel, client: openai.OpenAI) -> None:
    for number in range(50):
        client.chat.completions.create(
            model="fake:chunks=1,every=0", messages=[{"role": "user", "content": f"kept {number}"}]
        )
    assert len({request.client_port for request in model.asked("kept")}) == 1


def test_it_runs_as_a_program_and_is_told_over_http() -> None:
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.fake_model", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    with program:
        assert program.stdout
        base_url = program.stdout.readline().strip()
        with openai.OpenAI(api_key="test", base_url=base_url, max_retries=0, timeout=patience(5)) as client:
            chunks = stream(client, "fake:chunks=2,gate=door")
            root = base_url.removesuffix("/v1")
            urllib.request.urlopen(urllib.request.Request(f"{root}/gates/door", method="POST")).close()
            assert heard(chunks) == ("word0 word1 ", "stop")
        with urllib.request.urlopen(f"{root}/log") as answer:
            assert [entry["ending"] for entry in json.load(answer)] == ["finished"]
        program.send_signal(signal.SIGTERM)
        assert ended(program) == 0
