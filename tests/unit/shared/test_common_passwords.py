"""The list of passwords that attackers try first."""

import pytest

from shared import common_passwords


def test_the_list_has_a_hundred_passwords_that_are_long_enough() -> None:
    assert len(common_passwords._COMMONEST) >= 100
    assert all(len(password) >= 8 and password == password.casefold() for password in common_passwords._COMMONEST)
    assert not common_passwords.is_common("correct horse battery staple")


@pytest.mark.parametrize(
    "written",
    [
        "password1",
        " PassWord1 ",
        "pass\u200bword1",
        "\u00adp\u2060assword1\ufe0f",
        "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44\uff11",
        "\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18",
        "1 2 3 4 5 6 7 8",
        "a\u200ba\u200ca\u200da\u2060",
        "\U0001d429assword1",
    ],
)
def test_no_way_of_writing_makes_a_common_password_a_good_one(written: str) -> None:
    assert common_passwords.is_common(written)
