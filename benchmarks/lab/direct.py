"""The reference: the endpoint that one would write first. It stores the question and holds the request open. Meanwhile
it relays the model's stream, and it stores the reply when the stream has ended.

There is no sign-in, and a reply dies with its request. The code is neither slowed down nor tuned.
"""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, jsonify, request, stream_with_context
from flask_sqlalchemy import SQLAlchemy
from openai import OpenAI
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

HISTORY = 10  # messages, the same number as Holdfast sends


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)
model = OpenAI()


def _now() -> datetime:
    return datetime.now(UTC)


class Chat(Base):
    __tablename__ = "chats"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=_now)


class Message(Base):
    __tablename__ = "messages"
    id: Mapped[int] = mapped_column(primary_key=True)
    chat_id: Mapped[int] = mapped_column(ForeignKey("chats.id"), index=True)
    role: Mapped[str]
    content: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=_now)


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
    db.init_app(app)
    app.add_url_rule("/healthz", view_func=lambda: "ok")
    app.add_url_rule("/chats", view_func=create_chat, methods=["POST"])
    app.add_url_rule("/chats/<int:chat_id>/messages", view_func=post_message, methods=["POST"])
    with app.app_context():
        Base.metadata.create_all(db.engine)
    return app


def create_chat() -> tuple[Response, int]:
    chat = Chat(title=request.get_json().get("title", "New chat"))
    db.session.add(chat)
    db.session.commit()
    return jsonify(id=chat.id), 201


def post_message(chat_id: int) -> Response:
    db.get_or_404(Chat, chat_id)
    question = Message(chat_id=chat_id, role="user", content=request.get_json()["content"])
    db.session.add(question)
    db.session.flush()
    question_id, history = question.id, _history(chat_id)
    db.session.commit()
    relay = _relay(chat_id, question_id, history)
    return Response(stream_with_context(relay), mimetype="text/event-stream")


def _history(chat_id: int) -> list[Any]:
    newest = db.select(Message).filter_by(chat_id=chat_id).order_by(Message.id.desc()).limit(HISTORY)
    return [{"role": row.role, "content": row.content} for row in reversed(db.session.scalars(newest).all())]


def _relay(chat_id: int, question_id: int, history: list[Any]) -> Iterator[str]:
    yield _event(accepted=question_id)
    text = []
    stream = model.chat.completions.create(
        model=os.environ["MODEL"],
        messages=history,
        stream=True,
        stream_options={"include_usage": True},
    )
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            text.append(chunk.choices[0].delta.content)
            yield _event(delta=text[-1])
    db.session.add(Message(chat_id=chat_id, role="assistant", content="".join(text)))
    db.session.commit()
    yield _event(completed=question_id)


def _event(**data: object) -> str:
    return f"data: {json.dumps(data)}\n\n"
