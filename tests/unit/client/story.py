"""The events and rows of one chat, and the page's state after them."""

from typing import Any

from playwright.sync_api import Page

CHAT = "chat"
TEXT = [f"piece {index} " for index in range(12)]

REDUCE = """async (events) => {
    const { reduce, start } = await import("/client/state/store.js");
    return events.map(([type, data]) => ({ type, data })).reduce(reduce, start);
}"""


def after(page: Page, *events: tuple[str, Any]) -> Any:
    """The state after these events, in a chat that is open."""
    return page.evaluate(REDUCE, [("chat.opened", CHAT), *events])


def message(**fields: Any) -> dict[str, Any]:
    basis = {"id": "m", "chatSessionId": CHAT, "messageType": "ai_report", "status": "running", "content": ""}
    return basis | {"position": 2, "attempt": 1, "seq": 10, "createdAt": "2026-01-01T00:00:00Z"} | fields


MINE = message(id="mine", messageType="user", status="completed", content="hello", position=1, attempt=0, seq=8)


def delta(index: int, attempt: int = 1) -> tuple[str, Any]:
    data = {"messageId": "m", "chatSessionId": CHAT, "attempt": attempt, "index": index, "text": TEXT[index]}
    return "message.delta", data


def up_to(index: int, **fields: Any) -> dict[str, Any]:
    return message(content="".join(TEXT[:index]), nextIndex=index, **fields)


def chat(name: str, day: int, seq: int) -> dict[str, Any]:
    return {"id": name, "title": name, "lastActiveAt": f"2026-01-{day:02}T00:00:00Z", "seq": seq}


def anew(cursor: int, *chats: Any, messages: Any = None) -> tuple[str, Any]:
    """The rows of a first sync, or of one after a reset."""
    return "anew", {"cursor": cursor, "chats": {"items": chats, "nextCursor": None}, "messages": messages}


def heard(name: str, data: Any) -> tuple[str, Any]:
    return "event", {"name": name, "data": data}


def shown(state: Any) -> str:
    (only,) = state["messages"]
    return str(only["content"])
