"""Every place where a client can put a value, from the OpenAPI document. A new field or route is there by itself."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote_from_bytes

#: Headers that the API reads. OpenAPI does not list them. Any route may get them, and these four stand for all.
HEADERS = ("Authorization", "Idempotency-Key", "Cookie", "Content-Type", "Host")
_WITH_HEADERS = {
    ("get", "/config"),
    ("get", "/chats"),
    ("post", "/auth/refresh"),
    ("post", "/chats/{sessionId}/messages"),
}
# A value that each other field of a body accepts, by name. A new required field needs one here.
_GOOD = {
    "email": "ada@example.org",
    "password": "long enough",
    "title": "A title",
    "content": "Hello",
    "seq": 1,
    "messageId": "x",
    "order": [],
    "ifSeq": 1,
}


class Value:
    """A text, in the form that it has in each place."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def as_json(self) -> str:
        """Few bytes for each character, so that many fit through the limit of a body."""
        return json.dumps(self._text, ensure_ascii="\ud83d" in self._text)

    @cached_property
    def raw(self) -> str:
        """UTF-8, in the form that WSGI gives to paths and headers."""
        return self._text.encode("utf-8", "surrogatepass").decode("latin-1")

    @cached_property
    def quoted(self) -> str:
        return quote_from_bytes(self._text.encode("utf-8", "surrogatepass"))


class Json(Value):
    """JSON in place of the text of a field."""

    @cached_property
    def as_json(self) -> str:
        return self._text


@dataclass(frozen=True)
class Place:
    """One field of a route. `inside` is body, query, path or header."""

    method: str
    path: str
    inside: str = ""
    name: str = ""
    #: The other required fields of the body, so that this one alone is wrong.
    others: tuple[str, ...] = ()
    #: The schema of the field in the document; None for a header.
    shape: Any = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.inside} {self.name}"

    def request(self, value: Value, chat_id: str, authorization: str) -> dict[str, Any]:
        """The WSGI environment of a request that has the value in this place."""
        names = {"sessionId": chat_id, "messageId": chat_id}
        names |= {self.name: value.raw} if self.inside == "path" else {}
        body = self._body(value).encode() if self.inside == "body" else b"{}"
        found = {
            "REQUEST_METHOD": self.method.upper(),
            "PATH_INFO": self.path.format(**names),
            "QUERY_STRING": f"{self.name}={value.quoted}" if self.inside == "query" else "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "HTTP_AUTHORIZATION": authorization,
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "wsgi.url_scheme": "http",
        }
        if self.inside == "header":
            name = self.name.upper().replace("-", "_")
            found[name if name.startswith("CONTENT") else f"HTTP_{name}"] = value.raw
        return found

    def _body(self, value: Value) -> str:
        others = "".join(f'"{name}": {json.dumps(_GOOD[name])}, ' for name in self.others)
        name, _, inner = self.name.partition(".")
        given = f'{{"{inner}": {value.as_json}}}' if inner else value.as_json
        return f'{{{others}"{name}": {given}}}'


def places(document: Any) -> list[Place]:
    """All places of an OpenAPI document."""
    found: list[Place] = []
    for path, methods in document["paths"].items():
        for method in sorted(methods.keys() - {"parameters"}):
            route, operation = Place(method, path), methods[method]
            parameters = methods.get("parameters", []) + operation.get("parameters", [])
            found += [replace(route, inside=each["in"], name=each["name"], shape=each["schema"]) for each in parameters]
            found += _of_the_body(route, document, operation)
            if (method, path) in _WITH_HEADERS:
                found += [replace(route, inside="header", name=name) for name in HEADERS]
    return found


def _of_the_body(route: Place, document: Any, operation: Any) -> Iterator[Place]:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        shape = _named(document, content["schema"])
        for name, kind in shape["properties"].items():
            others = tuple(other for other in shape.get("required", []) if other != name)
            place = replace(route, inside="body", name=name, others=others, shape={"type": "object"} | kind)
            yield place
            if "$ref" in kind:  # the fields of an object inside the body
                for inner, of_inner in _named(document, kind)["properties"].items():
                    yield replace(place, name=f"{name}.{inner}", shape=of_inner)


def _named(document: Any, schema: Any) -> Any:
    return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
