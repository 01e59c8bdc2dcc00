"""A token is good for one purpose, for a while, and only with our signature."""

import time
from typing import Any

import pytest

from api.access import tokens
from shared.errors.requests import TokenExpired, Unauthenticated

SECRET = "a secret that is long enough to sign with"


def test_a_token_says_whose_it_is_and_from_when_until_when() -> None:
    claims = tokens.verify(SECRET, tokens.ACCESS, tokens.issue(SECRET, tokens.ACCESS, "ada", 60))
    assert claims.user_id == "ada"
    assert 55 < claims.expires - time.time() <= 60
    assert claims.expires - claims.issued == 60
    assert claims.session_id is None


@pytest.mark.parametrize(("made", "asked"), [(tokens.ACCESS, tokens.REFRESH), (tokens.REFRESH, tokens.ACCESS)])
def test_a_token_is_good_for_its_own_purpose_only(made: str, asked: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens.verify(SECRET, asked, tokens.issue(SECRET, made, "ada", 60))


def test_an_old_token_is_told_from_a_wrong_one() -> None:
    with pytest.raises(TokenExpired):
        tokens.verify(SECRET, tokens.ACCESS, tokens.issue(SECRET, tokens.ACCESS, "ada", -31))


def test_clocks_may_differ_a_little() -> None:
    assert tokens.verify(SECRET, tokens.ACCESS, tokens.issue(SECRET, tokens.ACCESS, "ada", -5)).user_id == "ada"


def test_a_token_signed_with_another_secret_is_refused() -> None:
    with pytest.raises(Unauthenticated):
        tokens.verify(SECRET, tokens.ACCESS, tokens.issue(SECRET[::-1], tokens.ACCESS, "ada", 60))


@pytest.mark.parametrize("token", [None, "", ".", "..", "a.b.c", "é", "x" * 10_000, 7, b"bytes", [], {}])
def test_anything_else_is_refused(token: Any) -> None:
    with pytest.raises(Unauthenticated):
        tokens.verify(SECRET, tokens.ACCESS, token)


def test_a_good_token_is_decoded_once_and_a_bad_one_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    token = tokens.issue(SECRET, tokens.ACCESS, "ada", 60, session_id="s1")
    claims = tokens.read(SECRET, tokens.ACCESS, token)
    monkeypatch.setattr(tokens.jwt, "decode", lambda *_, **__: pytest.fail("decoded again"))
    assert tokens.read(SECRET, tokens.ACCESS, token) == claims
    monkeypatch.undo()
    remembered = tokens._signed.cache_info().currsize
    for secret, purpose in ((SECRET[::-1], tokens.ACCESS), (SECRET, tokens.REFRESH)):
        with pytest.raises(Unauthenticated):
            tokens.read(secret, purpose, token)
    assert tokens._signed.cache_info().currsize == remembered
