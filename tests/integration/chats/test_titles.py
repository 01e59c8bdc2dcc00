"""A model gives an untitled chat its title. Nothing that goes wrong on the way harms anything else."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient

import workers.title
from shared.actions.accounts.disable import disable_account
from shared.actions.chats.change import change_chat
from shared.actions.chats.delete import delete_chat
from shared.actions.messages.delete import delete_message
from shared.actions.replies.finish import Answer, complete_reply
from shared.errors.replies import ModelTruncated, ModelUnavailable
from shared.models import ChatSession, User
from tests.channel import Channel
from tests.eventually import patience
from tests.factories import a_claim, a_post, money_of, nothing_changes, on_sqlite_only, the_chat, the_user
from tests.fake_model import FakeModel
from workers.providers import Ending, Prompt
from workers.reply import Desk
from workers.title import write_title

pytestmark = pytest.mark.settings(title_model="")


class Model:
    """A provider that answers in one piece, after something else has happened."""

    def __init__(self, answer: str, meanwhile: Callable[[], Any] = lambda: None) -> None:
        self._answer, self._meanwhile = answer, meanwhile
        self.ending = Ending("stop")
        self.asked = 0

    @contextmanager
    def ask(self, _prompt: Prompt, _cut_by: Any, _before_wait: Any) -> Iterator["Model"]:
        self.asked += 1
        yield self

    def __iter__(self) -> Iterator[str]:
        self._meanwhile()
        yield self._answer


@pytest.fixture
def answered(chat: ChatSession) -> str:
    """The id of a question of the chat that has its answer."""
    return answer(chat, "How do I bake bread? fake:chunks=2").message.id


def answer(chat: ChatSession, question: str) -> Any:
    posted = a_post(chat, question)
    complete_reply(a_claim(posted), Answer("Like this", finish_reason="stop", model="fake-2026"))
    return posted


def title_of(chat: ChatSession) -> tuple[str, str]:
    row = the_chat(chat.id)
    return row.title, row.title_source


def test_the_model_is_asked_once_and_its_title_is_told(
    answered: str, chat: ChatSession, user: User, me: FlaskClient, desk: Desk, fake_model: FakeModel, channel: Channel
) -> None:
    before, money = the_user(user.id).seq, money_of(user.id)
    channel.forget()
    write_title(chat.id, desk.provider)
    (request,) = fake_model.requests
    assert request.body["model"] == "fake"  # the reply's model has told a name that is not on the list
    assert [message["role"] for message in request.messages] == ["system", "user"]
    assert request.messages[1]["content"] == "How do I bake bread? fake:chunks=2"
    (event,) = channel.heard()
    assert (event.name, event.data) == ("chat.updated", me.get(f"/chats/{chat.id}").json)
    assert (event.data["title"], event.data["titleSource"]) == ("word0 word1", "generated")
    assert (event.data["seq"], event.data["unread"]) == (before + 1, True)  # the reply is still to be read
    assert money_of(user.id) == money
    with nothing_changes():  # a second job of the same chat finds it titled
        write_title(chat.id, desk.provider)
    assert len(fake_model.requests) == 1


@on_sqlite_only
@pytest.mark.settings(title_model="cheap")
def test_the_setting_names_the_model(answered: str, chat: ChatSession, desk: Desk, fake_model: FakeModel) -> None:
    write_title(chat.id, desk.provider)
    assert fake_model.requests[0].body["model"] == "cheap"


def test_a_title_that_the_user_sets_meanwhile_stays(answered: str, chat: ChatSession) -> None:
    write_title(chat.id, Model("Bread", lambda: change_chat(chat.owner_id, chat.id, "Mine")))
    assert title_of(chat) == ("Mine", "user")


DELETIONS: dict[str, Callable[[ChatSession, str], Any]] = {
    "question": lambda chat, question: delete_message(chat.owner_id, chat.id, question),
    "chat": lambda chat, _: delete_chat(chat.owner_id, chat.id),
    "access": lambda chat, _: disable_account(chat.owner_id),
}


@pytest.mark.parametrize("what", DELETIONS)
def test_after_a_deletion_meanwhile_nothing_is_written(
    what: str, answered: str, chat: ChatSession, channel: Channel
) -> None:
    def meanwhile() -> None:
        DELETIONS[what](chat, answered)
        channel.forget()

    write_title(chat.id, Model("Bread", meanwhile))
    assert title_of(chat) == ("" if what == "chat" else "New chat", "default")
    assert channel.heard() == []


@pytest.mark.parametrize("what", [*DELETIONS, "title"])
def test_what_is_deleted_is_not_even_sent_to_the_model(what: str, answered: str, chat: ChatSession) -> None:
    (DELETIONS | {"title": lambda *_: change_chat(chat.owner_id, chat.id, "Mine")})[what](chat, answered)
    model = Model("Bread")
    write_title(chat.id, model)
    assert model.asked == 0


def test_a_generated_title_goes_with_its_question_and_the_next_reply_gives_another(
    answered: str, chat: ChatSession, me: FlaskClient, channel: Channel
) -> None:
    write_title(chat.id, Model("Bread"))
    second = answer(chat, "And soup?")
    channel.forget()
    delete_message(chat.owner_id, chat.id, answered)
    assert title_of(chat) == ("New chat", "default")
    told = [event.data for event in channel.named("chat.updated")]
    assert told == [me.get(f"/chats/{chat.id}").json]
    write_title(chat.id, Model("Soup"))
    assert title_of(chat) == ("Soup", "generated")
    delete_message(chat.owner_id, chat.id, second.reply.id)
    assert title_of(chat) == ("Soup", "generated")


def test_a_title_of_the_user_outlives_every_message(answered: str, chat: ChatSession) -> None:
    write_title(chat.id, Model("Bread"))
    change_chat(chat.owner_id, chat.id, "Mine")
    delete_message(chat.owner_id, chat.id, answered)
    assert title_of(chat) == ("Mine", "user")


def _fails(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize("error", [ModelUnavailable(), ModelTruncated(), ValueError("a bug")], ids=repr)
def test_a_model_that_fails_leaves_the_chat_as_it_is(error: Exception, answered: str, chat: ChatSession) -> None:
    with nothing_changes():
        write_title(chat.id, Model("Bread", _fails(error)))


@pytest.mark.parametrize("said", ["", "\u200b", '""\n""'])
def test_a_model_that_says_nothing_leaves_the_chat_as_it_is(said: str, answered: str, chat: ChatSession) -> None:
    with nothing_changes():
        write_title(chat.id, Model(said))


@on_sqlite_only
@pytest.mark.parametrize(
    "seconds",
    ["_SECONDS", pytest.param("_SECONDS_ALONE", marks=pytest.mark.settings(title_model="", worker_threads=1))],
)
def test_a_model_that_hangs_is_cut_off(
    seconds: str, answered: str, chat: ChatSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hanging(Model):
        @contextmanager
        def ask(self, _prompt: Prompt, cut_by: Any, _before_wait: Any) -> Iterator[Model]:
            self.aborted = threading.Event()
            cut_by(self.aborted.set)
            yield self

        def __iter__(self) -> Iterator[str]:
            if self.aborted.wait(patience(10)):
                raise ModelTruncated
            yield "Too late"

    monkeypatch.setattr(workers.title, seconds, 0.05)
    with nothing_changes():
        write_title(chat.id, Hanging(""))


@on_sqlite_only
def test_only_as_much_of_an_answer_is_read_as_a_title_needs(answered: str, chat: ChatSession) -> None:
    class Endless(Model):
        def __iter__(self) -> Iterator[str]:
            while True:
                yield "word "

    write_title(chat.id, Endless(""))
    assert title_of(chat) == ("word " * 14 + "word…", "generated")
