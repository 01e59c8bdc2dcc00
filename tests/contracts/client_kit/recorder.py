"""Records the real product's events and answers to a client. Names replace the ids and times that differ each run."""

import json
import re
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

from shared.actions.replies.claim import Claim, claim_reply
from shared.core import current_link
from shared.models import User
from shared.redis.live_text import Piece, append
from shared.wire.events import Event, encode
from tests.channel import Channel

Step = dict[str, Any]

#: The fields of a chat that a screen has, or that the client sends back (`seq`).
ON_SCREEN = ("id", "title", "unread", "parked", "seq")

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_DISPLAY_ID = re.compile(r"\bc-[0-9a-z]{10}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00")


class Recorder:
    """Records the events that one user's client hears, and the answers that it gets."""

    def __init__(self, me: FlaskClient, user: User, channel: Channel) -> None:
        self.me, self.user, self.channel = me, user, channel

    def heard(self, during: Callable[[], Any]) -> list[Step]:
        """The events that `during` causes, as steps."""
        self.channel.forget()
        during()
        return [{"event": event.name, "data": event.data} for event in self.channel.heard()]

    def claim(self, reply_id: str) -> Claim:
        claim = claim_reply(reply_id, "a worker")
        assert claim
        return claim

    def write(self, claim: Claim, *texts: str, first: int = 0) -> None:
        """Send live text as a worker's relay does."""
        for index, text in enumerate(texts, first):
            where = {"messageId": claim.id, "chatSessionId": claim.chat_session_id, "attempt": claim.attempt}
            event = Event(self.user.id, "message.delta", where | {"index": index, "text": text})
            assert append(current_link(), [Piece(claim.id, claim.attempt, text, encode(event))]) != [-1]

    def first(self, chat_id: str, chats: int = 50) -> Step:
        """The answers that a client reads before it follows the events, with this chat open.

        The first page of the chats has `chats` of them, so that a script can have chats beyond that page.
        """
        begun = self.me.get("/sync").json
        return {
            "cursor": begun["cursor"],
            "credits": begun["credits"],
            "chats": self._chats(chats),
            "open": chat_id,
            "messages": self.me.get(f"/chats/{chat_id}/messages?order=desc").json,
        }

    def _chats(self, limit: int) -> Step:
        page = self.me.get(f"/chats?limit={limit}").json
        return page | {"nextCursor": page["nextCursor"] and "the next page"}

    def sync(self, after: int) -> Step:
        """The answer to `GET /sync` now."""
        return {"sync": self.me.get(f"/sync?after={after}").json}

    def message(self, claim: Claim) -> Step:
        """The answer to a `GET` of the reply now."""
        return {"message": self.me.get(f"/chats/{claim.chat_session_id}/messages/{claim.id}").json}

    def screen(self, chat_id: str, *asks: str) -> Step:
        """The screen that REST's answers give now, and the rows that a client should be about to ask for."""
        found = self.me.get(f"/chats/{chat_id}/messages")
        shown = [{name: one[name] for name in ("id", "status", "content")} for one in found.json.get("items", [])]
        chats = [{name: one[name] for name in ON_SCREEN} for one in self.me.get("/chats").json["items"]]
        return {"chats": chats, "messages": shown, "credits": self.me.get("/sync").json["credits"], "asks": list(asks)}


def named(recorded: Any) -> Any:
    """The same with names for ids and times. The names come out alike in every recording."""
    text = json.dumps(recorded, ensure_ascii=False)
    ids = list(dict.fromkeys(_UUID.findall(text)))
    text = _UUID.sub(lambda found: f"id-{ids.index(found[0]) + 1}", text)
    displayed = list(dict.fromkeys(_DISPLAY_ID.findall(text)))
    text = _DISPLAY_ID.sub(lambda found: f"c-{displayed.index(found[0]) + 1:010}", text)
    times = sorted(set(_TIME.findall(text)))
    text = _TIME.sub(lambda found: _moment(times.index(found[0])), text)
    return json.loads(text)


def timeless(script: str) -> str:
    """A script without its times, because two moments may be one on a faster machine."""
    return _TIME.sub("then", script)


def _moment(seconds: int) -> str:
    return f"2026-01-01T00:{seconds // 60:02}:{seconds % 60:02}+00:00"


def written(script: Step) -> str:
    """The text of a script's file, with a line for each step."""
    lines = [f'  "{name}": {_compact(value)}' for name, value in script.items() if name != "steps"]
    steps = ",\n".join(f"    {_compact(step)}" for step in script["steps"])
    lines.insert(2, f'  "steps": [\n{steps}\n  ]')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
