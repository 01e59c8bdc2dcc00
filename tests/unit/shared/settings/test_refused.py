"""A setting with a wrong name or value is refused with one sentence for each mistake."""

from dataclasses import fields

import pytest

from shared.actions.replies.states import HUNG_AFTER
from shared.settings import Settings
from shared.settings.fields import LONGEST_LEASE
from tests.unit.shared.settings.loading import refusal
from workers.main import MARGIN_MS


@pytest.mark.parametrize(
    ("name", "meant"),
    [("HOLDFAST_LEASE_SECOND", "HOLDFAST_LEASE_SECONDS"), ("HOLDFAST_MAX_FAILURE", "HOLDFAST_MAX_FAILURES")],
)
def test_a_misspelt_name_gets_a_suggestion(name: str, meant: str, environment: dict[str, str]) -> None:
    assert refusal(environment, **{name: "1"}) == f"{name} is not a setting: did you mean {meant}?"


def test_a_name_like_no_other_is_refused_too(environment: dict[str, str]) -> None:
    assert refusal(environment, HOLDFAST_0123456789="1").startswith("HOLDFAST_0123456789 is not a setting: see ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "80.5"),
        ("REALTIME_PORT", "-1"),
        ("HOLDFAST_ENV", "prod"),
        ("HOLDFAST_LOG_LEVEL", "LOUD"),
        ("HOLDFAST_WEB_THREADS", "0"),
        ("HOLDFAST_LEASE_SECONDS", "0.5"),
        ("HOLDFAST_LEASE_SECONDS", "soon"),
        ("HOLDFAST_SIGNUP_CREDITS", "-1"),
        ("HOLDFAST_SCRIPTED_WORDS_PER_SECOND", "0"),
        ("HOLDFAST_LEASE_SECONDS", "nan"),
        ("HOLDFAST_LEASE_SECONDS", "1e300"),
        ("HOLDFAST_RATE_LIMIT_POSTS", "sixty"),
        ("HOLDFAST_RATE_LIMIT_POSTS", "0/minute"),
        ("HOLDFAST_RATE_LIMIT_AUTH", "10/week"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str, environment: dict[str, str]) -> None:
    message = refusal(environment, **{name: value})
    assert f'"{name}"' in message
    assert len(message.splitlines()) == 1


def test_all_wrong_values_are_named_at_once(environment: dict[str, str]) -> None:
    lines = refusal(environment, PORT="x", HOLDFAST_WEB_THREADS="y").splitlines()
    assert [line.split('"')[1] for line in lines] == ["PORT", "HOLDFAST_WEB_THREADS"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOLDFAST_WEB_WORKERS", "65"),
        ("HOLDFAST_WEB_THREADS", "257"),
        ("HOLDFAST_WORKER_PROCESSES", "65"),
        ("HOLDFAST_WORKER_THREADS", "100000"),
        ("HOLDFAST_DRAIN_SECONDS", "1e12"),
        ("HOLDFAST_LEASE_SECONDS", "60"),
        ("HOLDFAST_SWEEP_SECONDS", "1e9"),
        ("HOLDFAST_MAX_ACTIVE_REPLIES", "100000000000000000000"),
        ("HOLDFAST_QUEUE_TIMEOUT", "1e16"),
        ("HOLDFAST_TURN_TIMEOUT", "1e18"),
        ("HOLDFAST_SIGNUP_CREDITS", "99999999999"),
        ("HOLDFAST_CREDITS_PER_REPLY", "99999999999"),
        ("HOLDFAST_ACCESS_TOKEN_SECONDS", "100000000000000"),
        ("HOLDFAST_REFRESH_TOKEN_SECONDS", "100000000000000"),
    ],
)
def test_too_large_a_number_is_refused_with_the_most_it_may_be(
    name: str, value: str, environment: dict[str, str]
) -> None:
    rule = next(setting.metadata["rule"] for setting in fields(Settings) if setting.metadata["name"] == name)
    message = refusal(environment, **{name: value})
    assert f'"{name}"' in message
    assert f"less than or equal to {rule.max}" in message


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"FIRST_TEXT_TIMEOUT": "900"}, "REPLY_TIMEOUT"),
        ({"SILENCE_TIMEOUT": "100", "REPLY_TIMEOUT": "100", "FIRST_TEXT_TIMEOUT": "9"}, "REPLY_TIMEOUT"),
        (
            {"LEASE_SECONDS": "40", "REPLY_TIMEOUT": "44", "FIRST_TEXT_TIMEOUT": "9", "SILENCE_TIMEOUT": "9"},
            "SWEEP_SECONDS",
        ),
        ({"SWEEP_SECONDS": "20", "LEASE_SECONDS": "15"}, "LEASE_SECONDS"),
        ({"LEASE_SECONDS": "9"}, "HOLDFAST_ENV"),
    ],
)
def test_numbers_that_do_not_fit_together_are_refused(
    values: dict[str, str], named: str, environment: dict[str, str]
) -> None:
    message = refusal(environment, **{f"HOLDFAST_{name}": value for name, value in values.items()})
    assert len(message.splitlines()) == 1
    assert all(name in message for name in (next(iter(values)), named))
    assert "lower" in message or "raise" in message


def test_the_longest_lease_leaves_time_for_an_ending_before_others_end_the_reply() -> None:
    the_last_statement = 10
    assert LONGEST_LEASE + the_last_statement < min(HUNG_AFTER, MARGIN_MS) / 1000
