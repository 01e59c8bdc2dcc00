"""The list of passwords that attackers try first."""

from shared import common_passwords


def test_the_list_has_a_hundred_passwords_that_are_long_enough() -> None:
    assert len(common_passwords._COMMONEST) >= 100
    assert all(len(password) >= 8 and password == password.casefold() for password in common_passwords._COMMONEST)
    assert not common_passwords.is_common("correct horse battery staple")
