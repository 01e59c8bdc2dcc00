"""The evidence once all is quiet: the answers to clients, the rows, the model's requests, and the tabs' events."""

from dataclasses import dataclass
from typing import Any

from tests.fake_request import Request
from tests.faults.lab.history import ACCEPTS, Outcome
from tests.faults.lab.witness import Note
from tests.services.sockets import Heard


@dataclass
class Evidence:
    """The evidence about the people of one trial. One transaction read the rows. Row ids are the keys."""

    outcomes: list[Outcome]  # of the posts
    other_calls: list[Outcome]
    users: dict[str, Any]
    messages: dict[str, Any]
    entries: list[Any]
    keys: list[Any]
    notes: list[Note]
    requests: list[Request]
    heard: dict[str, list[Heard]]
    shown: dict[str, dict[str, dict[str, Any]]]  # for each person, the messages that REST lists, by id
    versions: dict[str, list[dict[str, Any]]]  # the versions that REST lists, by the id of the first one
    chats: dict[str, Any]
    synced: dict[str, "Synced"]  # the result of all pages of `GET /sync`, for people who may still ask
    uninvited: list[str]  # the packets of a socket without a valid token
    logs: str

    @property
    def replies(self) -> list[Any]:
        """The replies that somebody asked for. The copies of a fork are none."""
        return [row for row in self.messages.values() if row.reply_to is not None and not self.is_copy(row)]

    @property
    def copies(self) -> list[Any]:
        """The messages that forks copied, in the order of their places."""
        return sorted(filter(self.is_copy, self.messages.values()), key=lambda row: row.position)

    def is_copy(self, row: Any) -> bool:
        """Whether a fork made this message: it is older than its chat."""
        chat = self.chats.get(row.chat_session_id)
        return chat is not None and bool(row.created_at < chat.created_at)

    def is_there(self, row: Any) -> bool:
        """Whether neither the message nor its chat was deleted."""
        chat = self.chats.get(row.chat_session_id)
        return row.deleted_at is None and (chat is None or chat.deleted_at is None)

    @property
    def texts(self) -> list[Outcome]:
        """The calls that brought a text of a person: posts, and edits."""
        return self.outcomes + [call for call in self.other_calls if call.op == "edit"]

    @property
    def accepts(self) -> list[Outcome]:
        """The calls that ask for a message or a reply."""
        return self.outcomes + [call for call in self.other_calls if call.op in ACCEPTS]

    def edits(self, message_id: str) -> list[Outcome]:
        """The edits of this message that may have changed it, in their order. Another version changes nothing here."""
        edits = [call for call in self.texts if call.op == "edit" and call.named == message_id]
        return [edit for edit in edits if edit.kind == "unknown" or edit.in_place]

    def nonces(self) -> dict[str, str]:
        """The word of the question, by reply id. Empty if the question was deleted before anybody had an answer."""
        told = {call.reply_id: call.nonce for call in self.texts if call.kind == "ok"}
        stored = {call.content: call.nonce for call in self.texts}
        questions = {reply.id: self.messages.get(reply.reply_to) for reply in self.replies}
        return {
            reply_id: stored.get(row.content if row else "") or told.get(reply_id, "")
            for reply_id, row in questions.items()
        }

    def asked(self, nonce: str) -> list[Request]:
        return [request for request in self.requests if nonce and nonce in request.question]

    def asked_for(self, reply: Any, nonce: str) -> list[Request]:
        """The requests of this one of all replies to a question: those from its claims on, up to another's claim."""
        same = {row.id for row in self.replies if row.reply_to == reply.reply_to}
        claims = [note for note in self.notes if (note.what, note.now) == ("reply", "running") and note.whose in same]
        found = []
        for request in self.asked(nonce):
            before = [note for note in claims if note.at <= request.opened_at * 1000]
            if not before or before[-1].whose == reply.id:
                found.append(request)
        return found


@dataclass
class Synced:
    """The knowledge of a client that read every page of `GET /sync`: its rows by id, its money, its cursor."""

    rows: dict[str, dict[str, Any]]
    credits: dict[str, int]
    cursor: int
