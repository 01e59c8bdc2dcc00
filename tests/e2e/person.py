"""Somebody who uses the product over HTTP."""

import json
from typing import Any, Self
from uuid import uuid4

import httpx2

from tests.eventually import patience


class Person:
    """Signs up on entering. `http` carries the access token, and keeps cookies as a browser does."""

    def __init__(self, url: str) -> None:
        self.email, self.password = f"{uuid4().hex}@example.org", "correct horse battery staple"
        self.http = httpx2.Client(base_url=url, timeout=patience(10))

    def __enter__(self) -> Self:
        signed_up = self.post("/auth/sign-up", email=self.email, password=self.password)
        self.id, self.token = signed_up["user"]["id"], signed_up["accessToken"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def get(self, path: str) -> Any:
        return self._json(self.http.get(path))

    def post(self, path: str, **body: Any) -> Any:
        # escaped, because half a surrogate pair can travel in no other way
        return self._json(self.http.post(path, content=json.dumps(body), headers={"Content-Type": "application/json"}))

    def _json(self, answer: httpx2.Response) -> Any:
        assert answer.is_success, f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}"
        return answer.json()
