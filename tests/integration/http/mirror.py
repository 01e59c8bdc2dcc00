"""A client that knows only GET /sync."""

from typing import Any

from flask.testing import FlaskClient


class Mirror:
    """A client that knows only the answers of GET /sync."""

    def __init__(self, me: FlaskClient, cursor: int = 0) -> None:
        self.chats: dict[str, Any] = {}
        self.messages: dict[str, Any] = {}
        self.cursor, self._me = cursor, me

    def page(self, limit: int = 50) -> Any:
        page = self._me.get(f"/sync?after={self.cursor}&limit={limit}").json
        for chat in page["chats"]:
            self._put(self.chats, chat)
        for message in page["messages"]:
            self._put(self.messages, message | {"queue": None})  # a place changes without a number (D-156)
        self.cursor = page["cursor"]
        return page

    def catch_up(self, limit: int = 50) -> list[Any]:
        pages = [self.page(limit)]
        while pages[-1]["hasMore"]:
            pages.append(self.page(limit))
        return pages

    def _put(self, rows: dict[str, Any], row: Any) -> None:
        if not row.get("deleted"):
            rows[row["id"]] = row
            return
        rows.pop(row["id"], None)
        if rows is self.chats:
            self.messages = {k: v for k, v in self.messages.items() if v["chatSessionId"] != row["id"]}
