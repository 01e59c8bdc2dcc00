"""A token is refused by its length before it is decoded. The API and `realtime` share this check."""

from typing import Any

import pytest

from api.access import tokens
from shared.errors.requests import Unauthenticated


def test_a_long_token_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(*_: Any, **__: Any) -> None:
        raise AssertionError("its length was known")

    monkeypatch.setattr("jwt.decode", decode)
    for token in ("x" * 2049, "a." * 500_000, 7, None, ["x"], {"token": "x"}, b"x"):
        with pytest.raises(Unauthenticated):
            tokens.verify("secret", tokens.ACCESS, token)


@pytest.mark.parametrize("token", ["\ud800.a.b", "\0", "W1tb." * 400, "..", f"{'W1tb' * 480}.e30.AA"])
def test_a_strange_token_is_no_token(token: str) -> None:
    with pytest.raises(Unauthenticated):
        tokens.verify("a secret that is long enough for it", tokens.ACCESS, token)
