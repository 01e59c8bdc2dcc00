"""Limits: how often one user or one address may do something, and what others notice of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from shared.models import ChatSession, User
from shared.settings import Settings
from tests.edge.limits.asking import PASSWORD, assert_refused, sign_in, sign_up
from tests.eventually import at_most, patience
from tests.factories import a_chat, a_user, on_sqlite_only, signed_in
from tests.services.redis import RedisServer

pytestmark = on_sqlite_only
_LIMITED = {"responses": ["429"]}


@pytest.fixture(autouse=True)
def _redis_has_time(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow answer of a busy Redis is no outage. Otherwise a process would count alone for a while."""
    if "without_redis" not in request.fixturenames:
        monkeypatch.setattr("api.access.limits._TIMEOUT", patience(0.5))


@pytest.fixture
def chat(core: Flask) -> ChatSession:
    return a_chat()


@pytest.fixture
def me(app: Flask, chat: ChatSession) -> FlaskClient:
    return signed_in(app, User(id=chat.owner_id))


def post(client: FlaskClient, chat: ChatSession, key: str = "", content: str = "Hello") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/chats/{chat.id}/messages", json={"content": content}, headers=headers)


@pytest.mark.settings(rate_limit_posts="3/hour")
def test_posts_beyond_the_limit_are_refused_and_every_answer_says_what_is_left(
    me: FlaskClient, chat: ChatSession
) -> None:
    answers = [post(me, chat) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [202] * 3 + [429] * 2
    assert [answer.headers["RateLimit-Limit"] for answer in answers] == ["3"] * 5
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0", "0"]
    assert 3590 < int(answers[2].headers["RateLimit-Reset"]) <= 3600
    assert_refused(answers[4], at_least=1100, at_most=1200)


@pytest.mark.settings(rate_limit_posts="1/hour")
def test_another_users_posts_are_not_counted(me: FlaskClient, chat: ChatSession, app: Flask, core: Flask) -> None:
    assert [post(me, chat).status_code for _ in range(2)] == [202, 429]
    other = a_chat()
    assert post(signed_in(app, User(id=other.owner_id)), other).status_code == 202


@pytest.mark.settings(rate_limit_posts="1/hour")
def test_what_was_accepted_is_answered_beyond_the_limit_too(me: FlaskClient, chat: ChatSession) -> None:
    first = post(me, chat, key="first").json
    assert_refused(post(me, chat, key="second"))
    again = post(me, chat, key="first")
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
    assert again.json["message"]["id"] == first["message"]["id"]
    assert post(me, chat, key="first", content="Other words").json["code"] == "idempotency_key_reused"


@pytest.mark.settings(rate_limit_posts="2/hour")
def test_all_processes_of_the_api_count_together(
    settings: Settings, chat: ChatSession, another_app: Callable[[Settings], Flask]
) -> None:
    processes = [signed_in(another_app(settings), User(id=chat.owner_id)) for _ in range(2)]
    assert [post(process, chat).status_code for process in processes * 2] == [202, 202, 429, 429]


@pytest.mark.settings(rate_limit_posts="20/hour")
def test_only_who_posts_a_lot_is_counted_in_redis(me: FlaskClient, chat: ChatSession, redis_url: str) -> None:
    with Redis.from_url(redis_url) as redis:
        counted = []
        for _ in range(3):
            post(me, chat)
            counted.append(len(redis.keys("holdfast:test:limit:*")))
    assert counted == [0, 0, 1]


@pytest.mark.settings(rate_limit_requests="2/hour")
def test_requests_of_any_kind_are_limited(me: FlaskClient, app: Flask, core: Flask) -> None:
    assert [me.get(path).status_code for path in ("/me", "/chats", "/sync")] == [200, 200, 429]
    assert_refused(me.get("/credits"))
    assert signed_in(app, a_user()).get("/me").status_code == 200
    assert me.get("/healthz").status_code == 200


@pytest.mark.settings(rate_limit_requests="1/hour")
def test_a_refresh_is_a_request_too(client: FlaskClient) -> None:
    sign_up(client)
    assert [client.post("/auth/refresh").status_code for _ in range(2)] == [200, 429]


@pytest.mark.settings(rate_limit_sign_ups="2/hour")
def test_sign_ups_of_one_address_are_limited(client: FlaskClient) -> None:
    assert [sign_up(client).status_code for _ in range(3)] == [201, 201, 429]
    assert sign_up(client, "198.51.100.2").status_code == 201


@pytest.mark.settings(rate_limit_sign_ups="1/hour")
def test_a_network_of_ipv6_counts_as_one_address(client: FlaskClient) -> None:
    addresses = ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1", "::ffff:198.51.100.9", "198.51.100.9")
    assert [sign_up(client, address).status_code for address in addresses] == [201, 429, 201, 201, 429]


@pytest.mark.settings(rate_limit_sign_ups="1/hour")
@pytest.mark.parametrize(("trusted", "then"), [(0, [201, 429]), (1, [201, 201])])
def test_the_address_behind_a_proxy_counts_only_if_the_proxy_is_trusted(
    trusted: int, then: list[int], settings: Settings, another_app: Callable[[Settings], Flask]
) -> None:
    client = another_app(replace(settings, trusted_proxies=trusted)).test_client()

    def through_the_proxy(forwarded: str) -> int:
        headers = {"X-Forwarded-For": forwarded}
        body = {"email": f"{uuid4().hex}@example.org", "password": PASSWORD}
        return client.post("/auth/sign-up", json=body, headers=headers).status_code

    # The client has sent the first address itself, and the proxy has added the second one
    assert [through_the_proxy(f"203.0.113.1, 203.0.113.{n}") for n in (8, 9)] == then


@pytest.mark.settings(rate_limit_sign_ups="1/hour", rate_limit_posts="1/hour")
def test_nobody_can_read_who_was_counted(me: FlaskClient, chat: ChatSession, redis_url: str) -> None:
    ada = str(sign_up(me).json["user"]["email"])
    post(me, chat)
    sign_in(me, ada, "a guess", "198.51.100.3")
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        keys = " ".join(redis.scan_iter("holdfast:test:limit:*"))
        assert all(redis.ttl(key) > 0 for key in keys.split())
    assert keys.count("holdfast:test:limit:") == 6
    assert not any(name in keys for name in (ada, "198.51", chat.owner_id, chat.owner_id.replace("-", "")))


@pytest.fixture
def without_redis(
    settings: Settings, own_redis: RedisServer, another_app: Callable[[Settings], Flask]
) -> Iterator[FlaskClient]:
    """A client of an API whose Redis does not answer any more."""
    app = another_app(replace(settings, redis_url=own_redis.url, rate_limit_posts="2/hour"))
    with app.app_context():
        chat = a_chat()
        client = signed_in(app, User(id=chat.owner_id))
        client.environ_base["chat"] = chat  # type: ignore[assignment]
        own_redis.freeze()
        yield client
        own_redis.thaw()


def test_while_redis_is_frozen_each_process_counts_for_itself(without_redis: FlaskClient) -> None:
    chat: Any = without_redis.environ_base["chat"]
    with at_most(2):
        assert [post(without_redis, chat).status_code for _ in range(4)] == [202, 202, 429, 429]


def test_the_openapi_document_names_the_refusal_where_there_is_a_limit(client: FlaskClient) -> None:
    paths = client.get("/openapi.json").json["paths"]
    methods = ("get", "post", "patch", "delete")
    free = {path for path in paths for name in methods if "429" not in paths[path].get(name, _LIMITED)["responses"]}
    assert free == {"/config", "/healthz", "/readyz"}
    assert "$ref" in paths["/auth/sign-in"]["post"]["responses"]["429"]
