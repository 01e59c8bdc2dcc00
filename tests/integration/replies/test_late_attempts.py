"""Only the current attempt may end a reply. One that was replaced changes nothing and renews nothing."""

from dataclasses import replace

import pytest
from flask import Flask

from shared.actions.replies.claim import Claim
from shared.actions.replies.finish import Answer, Superseded, complete_reply, fail_reply
from shared.actions.replies.leases import renew_leases, still_ours
from shared.actions.replies.release import give_back
from shared.errors.replies import ModelRejected
from shared.models import ChatSession, User
from shared.models.status import Status
from shared.settings import Settings
from tests.channel import Channel
from tests.factories import a_chat, a_post, at_once, change, clock, nothing_changes, past, the_message
from tests.integration.replies.endings import ANSWER, ENDINGS


def end_otherwise(claim: Claim, status: Status) -> None:
    """Changes the row as another program would."""
    if status is Status.RUNNING:
        change(claim.id, attempt=claim.attempt + 1)
    elif status is Status.PENDING:
        assert give_back(claim, 60)
    elif status is Status.COMPLETED:
        complete_reply(claim, Answer("Another's", finish_reason="stop"))
    else:
        fail_reply(claim, ModelRejected(), Answer("Another's"))


@pytest.mark.parametrize("name", ENDINGS)
@pytest.mark.parametrize("instead", [Status.RUNNING, Status.PENDING, Status.COMPLETED, Status.FAILED])
def test_an_attempt_that_was_replaced_changes_nothing(
    name: str, instead: Status, claim: Claim, channel: Channel
) -> None:
    end_otherwise(claim, instead)
    channel.forget()
    with nothing_changes(), pytest.raises(Superseded):
        ENDINGS[name](claim)
    assert channel.heard() == []


@pytest.mark.parametrize("name", ENDINGS)
@pytest.mark.parametrize("instead", [Status.COMPLETED, Status.FAILED])
def test_nor_does_it_where_another_reply_of_its_user_holds_as_much(
    name: str, instead: Status, claim: Claim, chat: ChatSession, channel: Channel
) -> None:
    a_post(chat)
    test_an_attempt_that_was_replaced_changes_nothing(name, instead, claim, channel)


@pytest.mark.parametrize("instead", [Status.RUNNING, Status.COMPLETED, Status.FAILED])
def test_an_attempt_that_was_replaced_cannot_be_given_back(instead: Status, claim: Claim) -> None:
    end_otherwise(claim, instead)
    with nothing_changes():
        assert not give_back(claim, 0)


@pytest.mark.parametrize("instead", [Status.RUNNING, Status.PENDING, Status.COMPLETED, Status.FAILED])
def test_an_attempt_that_was_replaced_renews_nothing(instead: Status, claim: Claim) -> None:
    end_otherwise(claim, instead)
    assert still_ours([claim]) == set()
    with nothing_changes():
        renew_leases([(claim, "zombie", 9)])


def test_renewing_extends_the_lease_and_saves_the_text(claim: Claim, settings: Settings) -> None:
    change(claim.id, lease_until=past(-0.5))
    before = the_message(claim.id)
    earliest = clock() + settings.lease_seconds * 1000
    renew_leases([(claim, "So far", 2)])
    latest = clock() + settings.lease_seconds * 1000
    row = the_message(claim.id)
    assert (row.content, row.live_index, row.seq) == ("So far", 2, before.seq)
    assert earliest <= row.lease_until <= latest
    assert still_ours([claim]) == {(claim.id, claim.attempt)}


@pytest.mark.parametrize("later_first", [True, False])
def test_a_worker_with_two_attempts_of_a_reply_renews_the_later_one_only(later_first: bool, claim: Claim) -> None:
    """Its first attempt hangs, and so the sweeper has given it another one."""
    later = replace(claim, attempt=claim.attempt + 1)
    change(claim.id, attempt=later.attempt)
    both = [later, claim] if later_first else [claim, later]
    assert renew_leases([(one, f"of {one.attempt}", 1) for one in both]) == {(later.id, later.attempt)}
    assert the_message(claim.id).content == f"of {later.attempt}"
    assert still_ours(both) == {(later.id, later.attempt)}


@pytest.mark.parametrize("first", ["complete", "fail"])
def test_of_two_endings_at_once_one_counts(first: str, core: Flask, claim: Claim, channel: Channel) -> None:
    def end(name: str) -> bool:
        try:
            ENDINGS[name](claim)
        except Superseded:
            return False
        return True

    assert sorted(at_once(core, lambda: end(first), lambda: end("complete"), lambda: end("fail"))) == [0, 0, 1]
    assert channel.names().count("credits.changed") == 1


def test_an_ending_after_a_failure_is_superseded_though_other_holds_would_cover_it(claim: Claim, user: User) -> None:
    # Given a reply that has failed, with its entry, and credits held for another one
    fail_reply(claim, ModelRejected(), ANSWER)
    a_post(a_chat(user))
    # Then a sweeper or worker that fails it too learns that it was late, and not of an entry that there is already
    with nothing_changes(), pytest.raises(Superseded):
        fail_reply(claim, ModelRejected(), ANSWER)
