"""A client stops a reply, and a worker shows the reply's text."""

from flask.testing import FlaskClient

from shared.core import current_link
from shared.redis.live_text import Piece, append


def stop(me: FlaskClient, message: object) -> dict[str, object]:
    """The message in the answer to a stop."""
    answer = me.post(f"/chats/{message.chat_session_id}/messages/{message.id}/stop")  # type: ignore[attr-defined]
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def show(claim_id: str, attempt: int, text: str) -> None:
    """Append a piece of live text as the worker does."""
    assert append(current_link(), [Piece(claim_id, attempt, text, b'["nobody","message.delta",{}]')])
