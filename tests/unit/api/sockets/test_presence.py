"""A socket ends at the end of its token, or once that token is revoked."""

import time

import pytest

from api.access.tokens import Claims
from api.sockets.presence import Presence
from shared.redis.revocations import of_session, of_user

# The time of the import. Tests may run much later, so FAR lies far ahead.
NOW, FAR = int(time.time()), 1_000_000


def claims(user: str = "ada", *, ends: int = FAR, issued: int = 0, session: str | None = None) -> Claims:
    return Claims(user, NOW + ends, NOW + issued, session)


@pytest.fixture
def presence() -> Presence:
    return Presence(longest_token=FAR)


def test_a_token_ends_until_its_socket_has_left(presence: Presence) -> None:
    presence.enter("a", claims(ends=-1))
    presence.enter("b", claims(ends=FAR))
    assert presence.expired() == ["a"]
    assert presence.expired() == ["a"]  # a failure in between delays the end by a second only
    presence.leave("a")
    assert presence.expired() == []


def test_a_renewed_token_ends_later(presence: Presence) -> None:
    presence.enter("a", claims(ends=-2))
    presence.enter("a", claims(ends=FAR))
    assert presence.expired() == []
    presence.enter("a", claims(ends=-1))  # and an earlier end counts too
    assert presence.expired() == ["a"]


def test_who_has_left_does_not_end(presence: Presence) -> None:
    presence.enter("a", claims(ends=-1))
    presence.leave("a")
    presence.leave("a")
    assert presence.expired() == []
    assert presence.user_of("a") is None


def test_renewing_takes_no_memory(presence: Presence) -> None:
    presence.enter("a", claims())
    kept = {name: value for name, value in vars(presence).items() if hasattr(value, "__len__")}
    sizes = {name: len(value) for name, value in kept.items()}
    for number in range(100):
        presence.enter("a", claims(ends=FAR + number))
    assert {name: len(value) for name, value in kept.items()} == sizes
    assert len(presence) == 1


def test_a_revocation_ends_what_was_issued_up_to_it_and_nothing_else(presence: Presence) -> None:
    presence.enter("before", claims(issued=-1))
    presence.enter("then", claims(issued=0))
    presence.enter("after", claims(issued=1))
    presence.enter("other", claims("bob", issued=-1))
    assert presence.revoke({of_user("ada"): NOW}) == ["before", "then"]


def test_a_session_is_not_a_user(presence: Presence) -> None:
    presence.enter("here", claims(session="s"))
    presence.enter("there", claims(session="t"))
    presence.enter("nowhere", claims(session=None))
    presence.enter("namesake", claims("s"))
    assert presence.revoke({of_session("s"): NOW}) == ["here"]


def test_the_same_reading_again_is_no_news(presence: Presence) -> None:
    presence.revoke({of_user("ada"): NOW})
    presence.enter("a", claims())
    assert presence.revoke({of_user("ada"): NOW}) == []


def test_what_a_later_reading_lacks_still_counts_for_as_long_as_a_token_may_live(presence: Presence) -> None:
    presence.revoke({of_user("ada"): NOW, of_user("bob"): NOW - FAR - 1})
    presence.revoke({})
    assert presence.is_revoked(claims())
    assert presence.revocations == {of_user("ada"): NOW}
