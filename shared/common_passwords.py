"""The passwords that attackers try first. A sign-up refuses them."""

import unicodedata

from shared.text import visible

# The commonest ones of at least eight characters in published leaks, as lists of many years agree.
_COMMONEST = frozenset(
    word
    for line in (
        "12345678 123456789 1234567890 12345678910 87654321 987654321 0987654321 123123123 12341234 12344321",
        "1234554321 11223344 12121212 69696969 147258369 147852369 789456123 741852963 123654789 1234qwer",
        "123456789a 123456qwerty 12345qwert 123qweasd 123abc123 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx",
        "1qazxsw2 12qwaszx q1w2e3r4 q1w2e3r4t5 qwer1234 qwerty12 qwerty123 qwerty1234 qwerty12345 qwertyui",
        "qwertyuiop qazwsxedc qweasdzxc zaq12wsx zxcvbnm123 asdfghjk asdfghjkl asdf1234 asdfasdf abcd1234",
        "abcdefgh abc12345 aa123456 aa12345678 a1234567 admin123 admin1234 administrator password password1",
        "password12 password123 password1234 passw0rd p@ssword p@ssw0rd drowssap welcome1 welcome123 changeme",
        "letmein1 trustno1 iloveyou iloveyou1 sunshine sunshine1 princess princess1 football football1",
        "baseball baseball1 basketball superman starwars michelle jennifer jessica1 michael1 charlie1",
        "computer internet whatever samantha maverick mercedes corvette midnight liverpool jonathan victoria",
        "pokemon123 minecraft",
    )
    for word in line.split()
)


def is_common(password: str) -> bool:
    """Whether an attacker tries this password first, in whichever case, width, or font of Unicode.

    Blanks and invisible characters make no difference. Eight times the same character is as easy to guess.
    """
    plain = visible(unicodedata.normalize("NFKC", password)).casefold()
    return plain in _COMMONEST or len(set(plain)) == 1
