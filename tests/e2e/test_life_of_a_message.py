"""The real programs execute the life of a message, line by line as ARCHITECTURE.md tells it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.person import Person
from tests.e2e.rows import end_leases, engine_of
from tests.eventually import eventually
from tests.fake_model import FakeModel
from tests.fake_script import canned_answer
from tests.services.programs import Programs
from tests.services.sockets import SocketClient

Connect = Callable[[str], SocketClient]


def about(message_id: str, name: str) -> Callable[[Any], bool]:
    """Tells whether an event has this name, and belongs to this message."""
    return lambda event: event.name == name and message_id in (event.data.get("id"), event.data.get("messageId"))


def test_the_life_of_a_message(person: Person, fake_model: FakeModel, socket_client: Connect) -> None:
    # Given a person with two open tabs, and an intruder with one of their own
    tabs = [socket_client(person.token), socket_client(person.token)]
    with Person(str(person.http.base_url)) as intruder:
        watching = socket_client(intruder.token)
        chat = person.post("/chats")

        # When they post a message (lines 1 to 4), and the model waits after the first piece
        question = "What is a placeholder? fake:gate=story"
        posted = person.post(f"/chats/{chat['id']}/messages", content=question)

        # Then the answer has the message, the placeholder, and the credits that are left
        message, reply = posted["message"], posted["reply"]
        assert (message["messageType"], message["status"], message["content"]) == ("user", "completed", question)
        assert (reply["messageType"], reply["status"], reply["content"]) == ("ai_report", "pending", "")
        assert reply["replyTo"] == message["id"]
        assert reply["credits"] == {"held": 3, "charged": 0, "released": 0}
        assert posted["credits"] == {"balance": 297, "held": 3}

        # And a worker claims the reply, builds the context, and both tabs show the first piece (lines 5 to 8)
        for tab in tabs:
            tab.wait_for(about(message["id"], "message.created"))
            tab.wait_for(about(reply["id"], "message.created"))
            started = tab.wait_for(about(reply["id"], "message.started")).data
            delta = tab.wait_for(about(reply["id"], "message.delta")).data
            assert started["attempt"] == delta["attempt"] == 1
            assert delta["index"] == 0
        assert [m["role"] for m in fake_model.asked(question)[-1].body["messages"]] == ["system", "user"]

        # And a tab that opens now sees the same text
        running = person.get(f"/chats/{chat['id']}/messages/{reply['id']}")
        assert (running["status"], running["content"], running["nextIndex"]) == ("running", delta["text"], 1)

        # When the model goes on to its end, the reply is finished (line 9)
        fake_model.open_gate("story")
        for tab in tabs:
            completed = tab.wait_for(about(reply["id"], "message.completed")).data
            # Then the deltas are the text, in order and without a gap
            deltas = [event.data for event in tab.named("message.delta")]
            assert [delta["index"] for delta in deltas] == list(range(len(deltas)))
            assert canned_answer(question).startswith("".join(delta["text"] for delta in deltas))
            assert completed["content"] == canned_answer(question)
            assert completed["nextIndex"] >= len(deltas)
            tab.wait_for(lambda event: event.name == "credits.changed" and event.data["held"] == 0)

        # And the database says the same, for good: whole, charged, with the model's own remarks
        stored = person.get(f"/chats/{chat['id']}/messages/{reply['id']}")
        assert (stored["status"], stored["content"]) == ("completed", canned_answer(question))
        assert (stored["finishReason"], stored["attempt"]) == ("stop", 1)
        assert stored["credits"] == {"held": 0, "charged": 3, "released": 0}
        assert stored["tokens"]["input"] > 0
        assert stored["tokens"]["output"] > 0
        assert stored["createdAt"] < stored["startedAt"] < stored["firstTextAt"] < stored["completedAt"]

        # And every durable event had the next number
        durable = [event.data["seq"] for event in tabs[0].heard if "seq" in event.data]
        assert durable == list(range(durable[0], durable[0] + len(durable)))

        # And the model was asked once, and nobody else heard a thing (line 10)
        assert len(fake_model.asked(question)) == 1
        assert watching.heard == []


def test_a_failed_reply_says_why_and_costs_nothing(
    person: Person, fake_model: FakeModel, socket_client: Connect
) -> None:
    tab = socket_client(person.token)
    chat = person.post("/chats")

    posted = person.post(f"/chats/{chat['id']}/messages", content="A failure, please fake:cut_after=3")

    failed = tab.wait_for(about(posted["reply"]["id"], "message.failed")).data
    assert (failed["messageType"], failed["status"]) == ("ai_error", "failed")
    assert failed["error"]["code"] == "model_truncated"
    assert failed["credits"] == {"held": 0, "charged": 0, "released": 3}
    assert tab.wait_for(lambda e: e.name == "credits.changed" and e.data["held"] == 0).data["balance"] == 300
    assert person.get(f"/chats/{chat['id']}/messages/{failed['id']}")["error"] == failed["error"]
    assert len(fake_model.asked("A failure, please")) == 1  # the tabs have shown text, so the reply does not run again


def test_a_reply_whose_worker_is_killed_is_written_again(
    person: Person, fake_model: FakeModel, socket_client: Connect, programs: Programs
) -> None:
    tab = socket_client(person.token)
    chat = person.post("/chats")
    question = "Are you there? fake:gate=killed"
    posted = person.post(f"/chats/{chat['id']}/messages", content=question)
    tab.wait_for(about(posted["reply"]["id"], "message.delta"))

    programs["worker"].kill()
    with engine_of(programs.environment["DATABASE_URL"]).begin() as unit:
        end_leases(unit)
    fake_model.open_gate("killed")
    programs["worker"].start()

    again = tab.wait_for(lambda e: e.name == "message.started" and e.data["attempt"] == 2, within=30)
    assert again.data["content"] == ""
    completed = tab.wait_for(about(posted["reply"]["id"], "message.completed"), within=30).data
    assert completed["content"] == canned_answer(question)
    assert completed["credits"]["charged"] == 3


@pytest.mark.parametrize("text", ["NUL \0 and \ud83d half a pair", "RTL \u202e and \U0001f600 and \u200b"])
def test_odd_text_arrives_and_is_answered(person: Person, fake_model: FakeModel, text: str) -> None:
    chat = person.post("/chats")

    posted = person.post(f"/chats/{chat['id']}/messages", content=text)

    assert posted["message"]["content"] == text.replace("\0", "").replace("\ud83d", "")
    path = f"/chats/{chat['id']}/messages/{posted['reply']['id']}"
    eventually(lambda: person.get(path)["status"] == "completed")
