"""Cleans text of people and of models, whole or piece by piece."""

_HIGH_HALVES = ("\ud800", "\udbff")


def clean(text: str) -> str:
    """The text without NUL and without halves of surrogate pairs, which no database stores. Joins whole pairs."""
    if not text.isascii():
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return text.replace("\0", "")


class PieceCleaner:
    """Cleans text that arrives in pieces. The first half of a surrogate pair waits for the second half."""

    def __init__(self) -> None:
        self._half = ""

    def clean(self, piece: str) -> str:
        """The cleaned piece, after the half that waited. A half at the end waits again. The result may be empty."""
        piece, self._half = self._half + piece, ""
        if piece and _HIGH_HALVES[0] <= piece[-1] <= _HIGH_HALVES[1]:
            piece, self._half = piece[:-1], piece[-1]
        return clean(piece)
