"""A client that is signed in: one device of a user, with its tokens."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient

PASSWORD = "correct horse battery staple"


class Device:
    """One sign-in of a user, with both tokens. The first device signs the user up."""

    def __init__(self, app: Flask, email: str, path: str = "/auth/sign-in") -> None:
        self.client, self.email = app.test_client(), email
        body = {"email": email, "password": PASSWORD, "tokenMode": "body"}
        self._take(self.client.post(path, json=body))

    def get(self, path: str = "/chats") -> int:
        headers = {"Authorization": f"Bearer {self.access_token}"}
        return self.client.get(path, headers=headers).status_code

    def refresh(self) -> Any:
        return self.client.post("/auth/refresh", json={"refreshToken": self.refresh_token})

    def renew(self) -> None:
        self._take(self.refresh())

    def sign_out(self) -> Any:
        return self.client.post("/auth/sign-out", json={"refreshToken": self.refresh_token})

    def _take(self, answer: Any) -> None:
        assert answer.status_code in (200, 201), answer.text
        self.id, self.access_token = answer.json["user"]["id"], answer.json["accessToken"]
        self.refresh_token = answer.json["refreshToken"]


def works(client: FlaskClient, token: str) -> bool:
    """Whether the server takes this access token."""
    return client.get("/chats", headers={"Authorization": f"Bearer {token}"}).status_code == 200
