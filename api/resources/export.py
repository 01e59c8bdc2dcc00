"""Exports: one chat or all of them, as a file that is made while the client takes it."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from flask import Flask, Response, current_app, g

from api.access.decorators import signed_in
from api.http.blueprint import ApiBlueprint
from api.resources.live_text import with_live_text
from shared.actions.chats.read_out import messages_of, own_chats
from shared.database.clock import utc_now
from shared.models.chat import ChatRow, find_chat
from shared.wire.export import ExportIn, ExportOut, as_json, as_markdown

export = ApiBlueprint("export", __name__, description="Exports")
# Bytes of a piece, at least. Smaller ones would cost more than their text.
_PIECE = 64 * 1024
_FORMS = {"json": (as_json, "application/json", "json"), "markdown": (as_markdown, "text/markdown", "md")}
_MARKDOWN = {200: {"content": {"text/markdown": {"schema": {"type": "string"}}}}}


@export.get("/export")
@signed_in
@export.arguments(ExportIn, location="query")
@export.doc(responses=_MARKDOWN)
@export.response(200, ExportOut)
def export_all(asked: dict[str, Any]) -> Response:
    """All your chats with their messages, oldest first, as a file."""
    return _file(own_chats(g.user_id), asked["format"], "holdfast")


@export.get("/chats/<session_id>/export")
@signed_in
@export.arguments(ExportIn, location="query")
@export.doc(responses=_MARKDOWN)
@export.response(200, ExportOut)
def export_chat(asked: dict[str, Any], chat_ref: str) -> Response:
    """One chat with its messages, as a file."""
    chat = find_chat(g.user_id, chat_ref)
    return _file([chat], asked["format"], f"holdfast-{chat.display_id}")


def _file(chats: Iterable[ChatRow], form: str, name: str) -> Response:
    make, mimetype, ending = _FORMS[form]
    conversations = ((chat, map(with_live_text, messages_of(chat))) for chat in chats)
    pieces = _in_context(current_app._get_current_object(), _large(make(conversations, utc_now())))  # type: ignore[attr-defined]
    first = next(pieces)  # a failure up to here has an answer of its own
    disposition = {"Content-Disposition": f'attachment; filename="{name}.{ending}"'}
    return Response(chain([first], pieces), mimetype=mimetype, headers=disposition)


def _large(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that are worth a turn."""
    waiting, size = [], 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


def _in_context(app: Flask, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Make each piece in an app context of its own: another thread may make the next one."""
    while True:
        with app.app_context():
            piece = next(pieces, b"")
        if not piece:
            return
        yield piece
